"""Shows what is being measured: a moving line on a terminal, a line now and then without one."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

QUIET_SECONDS = 5.0


class ProgressLine:
    """The line; a context.

    Parameters
    ----------
    console
        Where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = Status("starting", console=console)
        self._began = self._said = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    @property
    def seconds(self) -> float:
        """Return how long it has been there."""
        return time.monotonic() - self._began

    def tell(self, what: str) -> None:
        """Show what is being done now."""
        line = Text(f"{self.seconds:3.0f} s  {what}")
        self._status.update(line)
        if not self._console.is_terminal and time.monotonic() - self._said >= QUIET_SECONDS:
            self._said = time.monotonic()
            self._console.print(line)
