"""The little of SVG that the pictures need: elements, scales, and paths."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

Point = tuple[float, float]


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
