"""The little of SVG that the pictures need: frames and grids, elements, scales, and paths."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

MARGIN = 18
"""Around what a card shows."""

_STYLE = Path(__file__).parent / "assets" / "picture.css"

Point = tuple[float, float]
Size = tuple[float, float]
"""Width and height."""


def style_sheet() -> str:
    """Return the style that all charts share."""
    return _STYLE.read_text(encoding="utf-8")


def inline(content: str, size: Size, label: str) -> str:
    """Return a chart for a page that brings the style; `label` says what it shows."""
    width, height = map(number, size)
    return element("svg", content, class_="chart", viewBox=f"0 0 {width} {height}", role="img", aria_label=label)


def card(content: str, size: Size, label: str, style: str) -> str:
    """Return a chart as a file of its own, with its style and a background, light or dark as the reader's system is."""
    width, height = (number(length + 2 * MARGIN) for length in size)
    parts = (
        element("style", style),
        element("rect", width=width, height=height, rx=14, style="fill: var(--card)"),
        element("g", content, transform=f"translate({MARGIN} {MARGIN})"),
    )
    picture = element(
        "svg",
        "".join(parts),
        xmlns="http://www.w3.org/2000/svg",
        class_="chart",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
    )
    return f"{picture}\n"


def number(value: float) -> str:
    """Return a coordinate in as few characters as are visible."""
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def element(tag: str, content: str = "", **attributes: object) -> str:
    """Return an element; `class_` stands for ``class``, and ``_`` in names for ``-``. `content` is markup."""
    written = "".join(f' {_name(name)}="{_value(value)}"' for name, value in attributes.items())
    return f"<{tag}{written}>{content}</{tag}>" if content else f"<{tag}{written}/>"


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else escape(str(value))


def text(x: float, y: float, content: str, class_: str, **attributes: object) -> str:
    """Return a line of text."""
    return element("text", escape(content), x=float(x), y=float(y), class_=class_, **attributes)


def line(start: Point, end: Point, class_: str) -> str:
    """Return a straight line."""
    return element("line", x1=float(start[0]), y1=float(start[1]), x2=float(end[0]), y2=float(end[1]), class_=class_)


def grid(scale: Scale, values: Iterable[float], unit: str, span: tuple[float, float], gap: float = 8) -> str:
    """Return a line from one end of the span to the other for each value, with the value `gap` before it."""
    left, right = span
    return "".join(
        line((left, scale(value)), (right, scale(value)), "grid")
        + text(left - gap, scale(value) + 3.5, f"{value:g}{unit}", "tick end")
        for value in values
    )


@dataclass(frozen=True)
class Scale:
    """Maps values to coordinates, evenly or by logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value; one beyond the ends is drawn at the end."""
        clamped = min(max(value, self.low), self.high)
        position = self._warp(clamped) - self._warp(self.low)
        return self.start + (self.end - self.start) * position / (self._warp(self.high) - self._warp(self.low))

    def _warp(self, value: float) -> float:
        return math.log10(value) if self.log else value


def polyline(points: Iterable[Point]) -> str:
    """Return path data through the points."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)


def dots(points: Iterable[Point]) -> str:
    """Return path data of strokes without length: with round caps each is a dot, in a dozen characters."""
    return "".join(f"M{number(x)} {number(y)}h0" for x, y in points)


def stairs(points: Sequence[Point], end: float) -> list[Point]:
    """Return the corners of a line that keeps each value until the next one."""
    corners: list[Point] = []
    for (x, y), (until, _) in zip(points, [*points[1:], (end, 0.0)], strict=True):
        corners += [(x, y), (until, y)]
    return corners


def runs(points: Iterable[Point], longest_gap: float) -> list[list[Point]]:
    """Cut a series where its x has a gap, so that no line bridges what was not measured."""
    found: list[list[Point]] = []
    for point in points:
        if not found or point[0] - found[-1][-1][0] > longest_gap:
            found.append([])
        found[-1].append(point)
    return found


def lanes(places: Sequence[tuple[float, float]]) -> list[int]:
    """Give each (start, end), in order of start, the first lane in which it overlaps nothing."""
    ends: list[float] = []
    chosen: list[int] = []
    for start, end in places:
        lane = next((index for index, taken in enumerate(ends) if taken <= start), len(ends))
        ends[lane : lane + 1] = [end]
        chosen.append(lane)
    return chosen


def ticks(high: float, wanted: int, steps: Sequence[float]) -> list[float]:
    """Return round values from 0 to `high`, about `wanted` of them, a step of `steps` apart."""
    step = next((candidate for candidate in steps if high / candidate <= wanted), steps[-1])
    return [index * step for index in range(int(high / step) + 1)]
