"""How much memory processes take while something runs."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

_LOOK_SECONDS = 0.1
_KILOBYTE = 1024


class Watch:
    """Notes the most that this process, and another one, take; a context manager.

    Parameters
    ----------
    other
        Returns the id of the other process; None while there is none.
    """

    def __init__(self, other: Callable[[], int | None]) -> None:
        self.before = self.own = resident(os.getpid())
        self.other = 0
        self._find = other
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(_LOOK_SECONDS):
            self.own = max(self.own, resident(os.getpid()))
            process = self._find()
            if process is not None:
                self.other = max(self.other, resident(process))


def resident(process: int) -> int:
    """Return the bytes of memory that a process takes; 0 of one that is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    line = next((each for each in status.splitlines() if each.startswith("VmRSS:")), "VmRSS: 0")
    return int(line.split()[1]) * _KILOBYTE
