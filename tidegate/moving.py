"""Keeps the picture of an endpoint on the terminal: redrawn in place, its clocks running between the looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from tidegate import drawing
from tidegate.looking import Look

FRAMES_A_SECOND = 4


class MovingPicture:
    """Shows looks on a terminal as they come.

    Parameters
    ----------
    console
        The terminal.
    now
        The time, in epoch seconds.
    """

    def __init__(self, console: Console, now: Callable[[], float]) -> None:
        self._console = console
        self._now = now
        self._look: Look | None = None

    def show(self, looks: Iterable[Look]) -> None:
        """Show them until they end; the last stays on the terminal, also when it is interrupted."""
        try:
            # The other screen of the terminal: what was there before comes back, and resizing leaves no traces.
            with Live(
                console=self._console,
                get_renderable=self._picture,
                refresh_per_second=FRAMES_A_SECOND,
                screen=True,
            ):
                for look in looks:
                    self._look = look
        finally:
            if self._look is not None:
                self._console.print(drawing.draw(self._look.snapshot, self._look.trail, trouble=self._look.trouble))

    def _picture(self) -> RenderableType:
        look = self._look
        if look is None:
            return Text("looking", style="dim")
        return drawing.fitted(self._console, replace(look.snapshot, at=self._now()), look.trail, look.trouble)
