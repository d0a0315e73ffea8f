"""One execution environment: a process that runs the Lambda runtime and handles one invocation at a time."""

import contextlib
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from localcloud.services.functions.invocation import Invocation, Outcome
from localcloud.services.functions.log_pipe import LogPipe
from localcloud.services.functions.runtime_api import RuntimeApi

# Lambda allows 10 s; an import-heavy function on two busy cores may need longer, and is no slower for being waited for.
START_LIMIT_SECONDS = 60.0
_TAIL_LINES = 60
_LOOK_SECONDS = 0.05

LineSink = Callable[[str], None]


@dataclass(frozen=True)
class Launch:
    """How to start a worker."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path


class Worker:
    """A worker process and its port of the Runtime API.

    Parameters
    ----------
    launch
        Command, environment and working folder.
    api
        Where its runtime asks for invocations.
    take_line
        Called with every line that the process writes.
    """

    def __init__(self, launch: Launch, api: RuntimeApi, take_line: LineSink) -> None:
        self._api = api
        self._take_line = take_line
        self._inbox: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._current: Invocation | None = None
        self._start_failure: Outcome | None = None
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._listener = api.open(self)
        self.started_at = time.time()
        self.idle_since = self.started_at
        self._killed = False
        self._start_ended = threading.Event()
        self.initialised_at: float | None = None
        # Held while the process is reaped or killed: afterwards its id may be another's.
        self._reaping = threading.Lock()
        self._process = self._spawn(launch, self._listener)
        self._log = LogPipe(self._process.stdout, self._take)  # type: ignore[arg-type]
        self._watcher = threading.Thread(target=self._watch, name="localcloud-function-watch", daemon=True)
        self._watcher.start()

    @staticmethod
    def _spawn(launch: Launch, listener: socket.socket) -> subprocess.Popen[bytes]:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        return subprocess.Popen(
            launch.command,
            cwd=launch.folder,
            env={**launch.environment, "AWS_LAMBDA_RUNTIME_API": address},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs, and is not about to be gone."""
        return not self._killed and self._exit_code() is None

    @property
    def peak_memory_mb(self) -> int | None:
        """Return the most memory that the process has used, where the system tells."""
        with contextlib.suppress(OSError, IndexError, ValueError):
            status = Path(f"/proc/{self.pid}/status").read_text()
            return int(status.split("VmHWM:")[1].split()[0]) // 1024
        return None

    def run(self, invocation: Invocation) -> Outcome:
        """Handle one invocation; a worker that is too slow, or ends, is killed and its invocation fails."""
        self._tail.clear()
        self._current = invocation
        self._inbox.put(invocation)
        if not self.alive:
            self._fail_current("Runtime.ExitError", f"Error: Runtime exited: {self._exit_reason()}")
        if not invocation.started.wait(START_LIMIT_SECONDS):
            self._time_out(invocation, "Runtime.InitTimeout", f"the runtime did not start in {START_LIMIT_SECONDS:g} s")
        if not invocation.ended.wait(max(invocation.started_at + invocation.timeout - time.time(), 0)):
            text = f"Task timed out after {invocation.timeout:.2f} seconds"
            self._time_out(invocation, "Sandbox.Timedout", text)
        self._log.drain()
        self._current = None
        self.idle_since = time.time()
        outcome = invocation.outcome or Outcome.failed("Runtime.Unknown", "the invocation did not end")
        return Outcome(outcome.payload, outcome.error, "\n".join(self._tail))

    def kill(self) -> None:
        """Kill the process and what it has started, as ``kill -9`` does; one that has been reaped is left alone."""
        self._killed = True
        with self._reaping:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, signal.SIGKILL)

    def join(self, timeout: float) -> None:
        """Wait until everything of a killed worker is gone."""
        self._watcher.join(timeout)

    def await_start(self) -> bool:
        """Wait until the runtime asks for work; False when the process ended, or took too long, before that."""
        self._start_ended.wait(START_LIMIT_SECONDS)
        return self.initialised_at is not None and self.alive

    def next_invocation(self) -> Invocation | None:
        """Wait for and return what the runtime is to handle next."""
        if self.initialised_at is None:
            self.initialised_at = time.time()
            self._start_ended.set()
        return self._inbox.get()

    def respond(self, request_id: str, payload: bytes, failed: bool) -> None:
        """Take the end of an invocation from the runtime."""
        current = self._current
        if current is not None and current.request_id == request_id:
            current.end(Outcome(payload, "Unhandled" if failed else None), time.time())

    def fail_start(self, payload: bytes) -> None:
        """Take the runtime's report that it could not start."""
        self._start_failure = Outcome(payload, "Unhandled")
        if self._current is not None:
            self._current.end(self._start_failure, time.time())

    def _take(self, line: str) -> None:
        self._tail.append(line)
        self._take_line(line)

    def _time_out(self, invocation: Invocation, kind: str, text: str) -> None:
        self.kill()
        failed = Outcome.failed(kind, f"RequestId: {invocation.request_id} Error: {text}")
        if invocation.end(failed, time.time()) and kind == "Sandbox.Timedout":
            self._take(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {invocation.request_id} {text}")

    def _watch(self) -> None:
        """Wait for the process's end and let whoever waits for it know."""
        self._await_end()
        self._start_ended.set()
        self._fail_current("Runtime.ExitError", f"Error: Runtime exited: {self._exit_reason()}")
        self._inbox.put(None)
        self._api.close(self._listener)

    def _await_end(self) -> None:
        """Wait for the process's end, and reap it only under the lock."""
        if hasattr(os, "waitid"):  # missing on some systems, where looking again and again must do
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        while self._exit_code() is None:
            time.sleep(_LOOK_SECONDS)

    def _exit_code(self) -> int | None:
        with self._reaping:
            return self._process.poll()

    def _fail_current(self, kind: str, text: str) -> None:
        current = self._current
        if current is not None:
            failed = Outcome.failed(kind, f"RequestId: {current.request_id} {text}")
            current.end(self._start_failure or failed, time.time())

    def _exit_reason(self) -> str:
        code = self._exit_code()
        if code is None or code >= 0:
            return f"exit status {code}"
        return f"signal: {signal.Signals(-code).name.removeprefix('SIG').lower()}"
