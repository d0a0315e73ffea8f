"""What is shown while the demo runs: a live picture on a terminal, plain lines without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tidegate import views
from tidegate.demo import window
from tidegate.demo.chart import clock
from tidegate.demo.observations import Observations, Sighting
from tidegate.demo.window import Recent

AUDIT_LINES = 6
NEWS_LINES = 4
PLAIN_SECONDS = 5.0


class Display:
    """Shows a run as it goes; a context.

    Parameters
    ----------
    console
        Where to.
    seen
        What is being recorded.
    news
        What else there is to tell, in the order of time; grows.
    """

    def __init__(self, console: Console, seen: Observations, news: Callable[[], Sequence[str]] = tuple) -> None:
        self._console = console
        self._seen = seen
        self._news = news
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._said_at = 0.0
        self._told: set[str] = set()

    def __enter__(self) -> Display:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, chapter: str, now: float) -> None:
        """Show the present moment."""
        if not self._seen.sightings:
            return
        if self._console.is_terminal:
            self._live.update(self._picture(chapter, now), refresh=True)
            return
        self._tell_audit()
        if now - self._said_at >= PLAIN_SECONDS:
            self._said_at = now
            self._say(f"{clock(now - self._seen.started)}  {self._line(now)}")

    # -- a terminal --------------------------------------------------------------------------------------------------

    def _picture(self, chapter: str, now: float) -> RenderableType:
        seen, last = self._seen, self._seen.sightings[-1]
        heading = Text.assemble((clock(now - seen.started), "bold"), "  ", (chapter, "bold cyan"))
        body = Group(self._variants(last, now), Text(""), *_sentences(seen), *self._latest_news())
        subtitle = Text.assemble(f"{seen.endpoint} ", views.state_text(last.status))
        return Panel(body, title=heading, subtitle=subtitle, title_align="left", subtitle_align="left", padding=(1, 2))

    def _variants(self, last: Sighting, now: float) -> RenderableType:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("version", "variant", "share of the traffic", "", "req/s", "failed", "p50", "p99"):
            table.add_column(heading, justify="right" if heading in ("", "req/s", "failed", "p50", "p99") else "left")
        lately = window.recent(self._seen.requests, now)
        total = sum(last.weights.values()) or 1.0
        for variant, weight in sorted(last.weights.items()):
            share = weight / total
            figures = lately.get(variant, Recent())
            bar = Text(views.bar(share, 32), style="red" if figures.failed else "cyan")
            cells = _figures(figures)
            table.add_row(self._version(last, variant), variant, bar, f"{share:.0%}", *cells)
        table.add_row("all", "", "", "", *_figures(window.overall(lately)), style="dim")
        return table

    def _version(self, last: Sighting, variant: str) -> str:
        return self._seen.configs.get(last.config, {}).get(variant, "?")

    # -- no terminal -------------------------------------------------------------------------------------------------

    def _line(self, now: float) -> str:
        last = self._seen.sightings[-1]
        together = window.overall(window.recent(self._seen.requests, now))
        weights = ", ".join(
            f"{self._version(last, variant)} at {weight:g} %" for variant, weight in sorted(last.weights.items())
        )
        return (
            f"{together.rate:.0f} req/s, p50 {together.p50:.0f} ms, p99 {together.p99:.0f} ms, "
            f"{window.failures(self._seen)} failed so far; {last.status}: {weights}"
        )

    def _latest_news(self) -> list[Text]:
        told = self._news()[-NEWS_LINES:]
        return (
            [Text(""), *(Text(line, style="yellow", no_wrap=True, overflow="ellipsis") for line in told)]
            if told
            else []
        )

    def _tell_audit(self) -> None:
        for line in self._news():
            if line not in self._told:
                self._told.add(line)
                self._say(f"      {line}")
        for entry in list(self._seen.audit):
            if entry.key not in self._told:
                self._told.add(entry.key)
                self._say(f"      {entry.phase}: {entry.text}")

    def _say(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)


def _sentences(seen: Observations) -> list[Text]:
    lines = [views.audit_line(entry) for entry in seen.audit[-AUDIT_LINES:]]
    for line in lines:
        # The picture must not jump about: a long sentence is cut here, and whole in the report.
        line.no_wrap, line.overflow = True, "ellipsis"
    # As many lines as there will be.
    return lines + [Text("")] * (AUDIT_LINES - len(lines))


def _figures(recent: Recent) -> tuple[Text, Text, Text, Text]:
    failed = Text(str(recent.failed), style="bold red" if recent.failed else "")
    return Text(f"{recent.rate:.1f}"), failed, Text(f"{recent.p50:.0f} ms"), Text(f"{recent.p99:.0f} ms")
