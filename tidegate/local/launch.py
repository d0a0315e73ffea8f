"""Starts and stops the local cloud's process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tidegate.errors import OperatorError
from tidegate.local.control import Control
from tidegate.local.state import Running, StateFolder, process_alive

CHECKOUT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 30.0
LOOK_SECONDS = 0.1
LOG_TAIL = 15


def start(folder: StateFolder, *, with_parent: bool = False) -> Running:
    """Start the local cloud and return once it is ready; one that runs already is returned as it is.

    Parameters
    ----------
    folder
        Where its state and log go.
    with_parent
        End it when this process ends, however it does.
    """
    running = folder.running()
    if running is not None:
        return running
    folder.make()
    folder.forget()
    command = [sys.executable, "-m", "tidegate.local.daemon", "--folder", str(folder.path)]
    command += ["--with-parent"] if with_parent else []
    with folder.log.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    return _when_ready(folder, process)


def _when_ready(folder: StateFolder, process: subprocess.Popen[bytes]) -> Running:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise OperatorError(
                f"the local cloud ended at once (status {process.returncode}):\n{log_tail(folder)}",
                f"its whole log: {folder.log}",
            )
        running = folder.running()
        if running is not None:
            return running
        time.sleep(LOOK_SECONDS)
    process.terminate()
    raise OperatorError(f"the local cloud was not ready within {START_SECONDS:.0f} s", f"its log: {folder.log}")


def stop(folder: StateFolder) -> bool:
    """Stop the local cloud; return whether one ran."""
    running = folder.running()
    if running is not None:
        _end(running)
    folder.forget()
    return running is not None


def _end(running: Running) -> None:
    # Each way is harder than the one before.
    for end in (_ask_to_stop, _terminate, _kill):
        if end(running) and _gone(running.pid):
            return
    raise OperatorError(f"process {running.pid} does not end", f"end it by hand: kill -9 {running.pid}")


def _ask_to_stop(running: Running) -> bool:
    try:
        Control(running).stop()
    except OperatorError:
        # It does not listen.
        return not process_alive(running.pid)
    return True


def _terminate(running: Running) -> bool:
    return _signal(running, signal.SIGTERM)


def _kill(running: Running) -> bool:
    return _signal(running, signal.SIGKILL)


def _signal(running: Running, number: signal.Signals) -> bool:
    with suppress(ProcessLookupError):
        os.kill(running.pid, number)
    return True


def _gone(pid: int) -> bool:
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        # When this process started it, it stays in the table until its end is taken note of.
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if not process_alive(pid):
            return True
        time.sleep(LOOK_SECONDS)
    return False


def log_tail(folder: StateFolder, lines: int = LOG_TAIL) -> str:
    """Return the last lines of the local cloud's log."""
    try:
        written = folder.log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(written[-lines:])
