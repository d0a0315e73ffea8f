"""One container as one process, with a thread that watches over it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from localcloud.physics.connections import ConnectionPool, get_status
from localcloud.physics.container_log import ContainerLog
from localcloud.physics.ports import Answer, ContainerUnreachableError, Headers
from localcloud.physics.settings import PhysicsSettings

_PING_TIMEOUT_SECONDS = 2.0  # SageMaker's
_STEADY_PING_SECONDS = 5.0
_FAILED_PINGS_TO_UNHEALTHY = 3
# Run before the program: has the kernel kill it should the local cloud itself be killed, so that none is left behind.
_LEASH = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execvp(sys.argv[1], sys.argv[1:])"  # PR_SET_PDEATHSIG
)
_STABLE_SECONDS = 30.0  # a container that ran this long before it crashed is restarted without back-off


@dataclass(frozen=True)
class Program:
    """What to run, where, and with which environment."""

    command: list[str]
    folder: Path
    environment: dict[str, str]


class ProcessContainer:
    """A container; its process changes when it crashes and is started again."""

    def __init__(
        self,
        name: str,
        program: Program,
        log: ContainerLog,
        settings: PhysicsSettings,
        gone: Callable[["ProcessContainer"], None],
    ) -> None:
        self.name = name
        self.restarts = 0
        self._program = program
        self._log = log
        self._settings = settings
        self._gone = gone
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._connections: ConnectionPool | None = None
        self._healthy = False
        self._watcher = threading.Thread(target=self._watch, name=f"container {name}", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the process runs right now."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Process id, for tests that crash it."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Begin to run."""
        self._watcher.start()

    def ping(self) -> bool:
        """Return the outcome of the latest health check."""
        return self._healthy and self.alive

    def invoke(self, body: bytes, headers: Headers, timeout: float) -> Answer:
        """Post to ``/invocations``."""
        connections = self._connections
        if connections is None:
            raise ContainerUnreachableError("the container is not running")
        return connections.post("/invocations", body, headers, timeout)

    def get(self, path: str, timeout: float) -> Answer:
        """Ask for a path; raises as `invoke` does."""
        connections = self._connections
        if connections is None:
            raise ContainerUnreachableError("the container is not running")
        return connections.get(path, timeout)

    def stop(self) -> None:
        """Let the watcher send SIGTERM, and SIGKILL after the grace time."""
        self._stopping.set()

    def join(self) -> None:
        """Wait until a stopped container is gone."""
        self._watcher.join()

    def _watch(self) -> None:
        pause = self._settings.restart_first_seconds
        while not self._stopping.is_set():
            began = time.monotonic()
            self._run_once()
            if self._stopping.is_set():
                break
            if time.monotonic() - began >= _STABLE_SECONDS:
                pause = self._settings.restart_first_seconds
            self._stopping.wait(pause)
            pause = min(pause * 2, self._settings.restart_longest_seconds)
            self.restarts += 1
        self._gone(self)

    def _run_once(self) -> None:
        """Run one process from its start to its end."""
        port = _free_port()
        try:
            process = self._spawn(port)
        except OSError as error:
            self._log.note(f"cannot start {self._program.command[0]}: {error}")
            return
        self._process, self._connections = process, ConnectionPool(port)
        follower = self._log.follow(process.stdout) if process.stdout else None
        self._check_health(process, port)
        self._end(process)
        self._healthy = False
        self._connections.close()
        if follower is not None:
            follower.join(timeout=5.0)
        if not self._stopping.is_set():
            self._log.note(f"the container exited with status {process.returncode}; starting it again")

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            leashed(self._program.command),
            cwd=self._program.folder,
            env={**self._program.environment, "SAGEMAKER_BIND_TO_PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that what the server starts dies with its container
        )

    def _check_health(self, process: subprocess.Popen[bytes], port: int) -> None:
        """Ping until the process ends or shall end."""
        failed = 0
        while process.poll() is None and not self._stopping.is_set():
            if get_status(port, "/ping", _PING_TIMEOUT_SECONDS) == 200:
                self._healthy, failed = True, 0
            else:
                failed += 1
                self._healthy = self._healthy and failed < _FAILED_PINGS_TO_UNHEALTHY
            self._wait(process, _STEADY_PING_SECONDS if self._healthy and not failed else self._settings.ping_seconds)

    def _wait(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        """Wait between pings, waking soon when the process has ended or shall end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and process.poll() is None:
            if self._stopping.wait(min(0.2, seconds)):
                return

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self._settings.stop_grace_seconds)
        kill_group(process)
        process.wait()


def leashed(command: list[str]) -> list[str]:
    """Return the command line under which `command` dies with the thread of the local cloud that starts it."""
    leash = [sys.executable, "-I", "-S", "-c", _LEASH] if sys.platform == "linux" else []
    return [*leash, *command]


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of the container, as its tear-down does."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
