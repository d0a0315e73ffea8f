"""A container's output: to a file, and to CloudWatch Logs."""

import logging
import os
import selectors
import threading
import time
from pathlib import Path
from typing import IO

from localcloud.physics.ports import LogSink

_SHIP_SECONDS = 1.0

_log = logging.getLogger(__name__)


class ContainerLog:
    """Takes what a container's processes write, over all their restarts.

    Parameters
    ----------
    path
        File that the output is appended to.
    group, stream
        Where it goes in CloudWatch Logs.
    sink
        CloudWatch Logs; None leaves the output in the file alone.
    """

    def __init__(self, path: Path, group: str, stream: str, sink: LogSink | None) -> None:
        self.path = path
        self.group = group
        self.stream = stream
        self._sink = sink
        path.parent.mkdir(parents=True, exist_ok=True)

    def follow(self, output: IO[bytes]) -> threading.Thread:
        """Read `output` to its end on a thread of its own."""
        thread = threading.Thread(target=self._follow, args=(output,), name=f"log {self.stream}", daemon=True)
        thread.start()
        return thread

    def note(self, text: str) -> None:
        """Add a line of the platform's own."""
        with self.path.open("ab") as file:
            file.write(f"[platform] {text}\n".encode())
        self._ship([f"[platform] {text}"])

    def _follow(self, output: IO[bytes]) -> None:
        rest, lines, shipped = b"", list[str](), time.monotonic()
        with output, self.path.open("ab", buffering=0) as file, selectors.DefaultSelector() as ready:
            ready.register(output, selectors.EVENT_READ)
            while True:
                chunk = os.read(output.fileno(), 65536) if ready.select(_SHIP_SECONDS) else None
                if chunk:
                    file.write(chunk)
                    *whole, rest = (rest + chunk).split(b"\n")
                    lines += [line.decode(errors="replace") for line in whole]
                if chunk == b"" or time.monotonic() - shipped >= _SHIP_SECONDS:
                    lines, shipped = self._ship(lines), time.monotonic()
                if chunk == b"":
                    return

    def _ship(self, lines: list[str]) -> list[str]:
        """Send lines to CloudWatch Logs; what remains to be sent is returned, which is none."""
        if lines and self._sink is not None:
            at = int(time.time() * 1000)
            try:
                self._sink(self.group, self.stream, [(at, line) for line in lines if line])
            except Exception:  # a pipe that nobody reads would stop the container
                _log.exception("output of %s could not be shipped", self.stream)
        return []
