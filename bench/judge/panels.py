"""Panels with axes, curves and a legend: what the pictures of the page on the judge are put together from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tidegate import svg

TEAL, RED, AMBER, GREY = "#0e9488", "#cf222e", "#e08a1e", "#57606a"

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 330.0, 200.0, 62.0, 70.0, 86.0
_BELOW, _RIGHT = 52.0, 26.0
_LETTER = 6.5
_STYLE = """
svg { font: 12px ui-sans-serif, system-ui, sans-serif; background: #ffffff; }
text { fill: #10242e; } .tick { fill: #51666f; font-size: 10.5px; } .end { text-anchor: end; }
.middle { text-anchor: middle; } .title { font-weight: 650; }
.grid { stroke: #dce4e7; } .bound { stroke: #57606a; stroke-dasharray: 5 4; }
path { fill: none; stroke-width: 1.8; stroke-linejoin: round; } .dots { stroke-width: 4.5; stroke-linecap: round; }
"""


@dataclass(frozen=True)
class Axis:
    """What is drawn along one side.

    Parameters
    ----------
    low, high
        Its ends.
    ticks
        Values that are written beside it, and how.
    log
        Whether it is logarithmic.
    caption
        What it shows, if the panel's title does not say so.
    """

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    log: bool = False
    caption: str = ""


def odds_axis(low: int, high: int, step: int = 1) -> Axis:
    """Return an axis of odds between two powers of ten."""
    return Axis(10.0**low, 10.0**high, [(10.0**power, _odds(power)) for power in range(low, high + 1, step)], log=True)


def _odds(power: int) -> str:
    return f"{10**power:,}:1" if power >= 0 else f"1:{10**-power:,}"


class Panel:
    """One pair of axes and what is drawn between them.

    Parameters
    ----------
    number
        Its place from the left, from 0; None: there is no other, and it takes the room of two.
    title
        What its vertical axis shows.
    across, down
        Its axes.
    """

    def __init__(self, number: int | None, title: str, across: Axis, down: Axis) -> None:
        left, width = _LEFT + (number or 0) * (_WIDTH + _GAP), _WIDTH if number is not None else 2 * _WIDTH + _GAP
        self._range = down
        self._across = svg.Scale(across.low, across.high, left, left + width, across.log)
        self._down = svg.Scale(down.low, down.high, _TOP + _HEIGHT, _TOP, down.log)
        self._parts = [svg.text(left, _TOP - 12, title, "title")]
        for value, written in down.ticks:
            self._parts.append(self._level(value, "grid"))
            self._parts.append(svg.text(left - 6, self._down(value) + 4, written, "tick end"))
        for value, written in across.ticks:
            self._parts.append(svg.text(self._across(value), _TOP + _HEIGHT + 16, written, "tick middle"))
        self._parts.append(svg.text(left + width / 2, _TOP + _HEIGHT + 34, across.caption, "tick middle"))

    def _level(self, value: float, class_: str) -> str:
        y = self._down(value)
        return svg.line((self._across.start, y), (self._across.end, y), class_)

    def bound(self, value: float, says: str) -> None:
        """Draw a level that matters, and say at its right end what it is."""
        self._parts.append(self._level(value, "bound"))
        self._parts.append(svg.text(self._across.end, self._down(value) - 5, says, "tick end"))

    def curve(self, points: Iterable[svg.Point], colour: str) -> None:
        """Draw a line through points, as far as it lies between the ends of the axis."""
        for run in self._within(list(points)):
            way = svg.polyline((self._across(x), self._down(y)) for x, y in run)
            self._parts.append(svg.element("path", d=way, stroke=colour))

    def _within(self, points: Sequence[svg.Point]) -> list[list[svg.Point]]:
        """Cut a line where two points that follow each other are both beyond an end."""
        inside = [self._range.low <= y <= self._range.high for _, y in points]
        runs: list[list[svg.Point]] = [[]]
        for number, point in enumerate(points):
            if any(inside[max(number - 1, 0) : number + 2]):
                runs[-1].append(point)
            elif runs[-1]:
                runs.append([])
        return [run for run in runs if run]

    def dots(self, points: Iterable[svg.Point], colour: str, opacity: float = 1) -> None:
        """Draw single points."""
        way = svg.dots((self._across(x), self._down(y)) for x, y in points)
        self._parts.append(svg.element("path", d=way, class_="dots", stroke=colour, stroke_opacity=f"{opacity:g}"))

    @property
    def markup(self) -> str:
        """The panel as SVG."""
        return "".join(self._parts)


def picture(label: str, legend: Sequence[tuple[str, str]], panels: Sequence[Panel]) -> str:
    """Return panels beside each other as a picture, under a legend of names with their colours."""
    width, height = _LEFT + 2 * _WIDTH + _GAP + _RIGHT, _TOP + _HEIGHT + _BELOW
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    content = svg.element("style", _STYLE) + _legend(legend) + "".join(panel.markup for panel in panels)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">{content}</svg>\n'


def _legend(names: Sequence[tuple[str, str]]) -> str:
    parts, x = [], 24.0
    for name, colour in names:
        parts.append(svg.element("path", d=f"M{x:g} 24h18", stroke=colour))
        parts.append(svg.text(x + 24, 28, name, "name"))
        x += 44 + _LETTER * len(name)
    return "".join(parts)
