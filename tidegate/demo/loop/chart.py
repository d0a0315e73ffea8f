"""The loop as one picture: accuracy over time, what drifted in each window, the share of each version, every event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tidegate import svg
from tidegate.demo.chart import AXIS_HEIGHT, CHARACTER, FLAGS_TOP, LANE_HEIGHT, RIGHT, TITLE_HEIGHT, WIDTH, Panel, clock
from tidegate.svg import Point, Scale

LEFT = 178
"""Room for the features' names."""

NAME_GAP = 10
"""Between these, or what the lines of the grid say, and the chart."""

ACCURACY_HEIGHT, ROW_HEIGHT, SHARE_HEIGHT = 230, 19, 70
LONGEST_GAP_SECONDS = 15.0
SHADES = ((0.02, "none"), (0.1, "some"), (0.25, "much"), (float("inf"), "most"))
"""How a window's PSI is shown: below the floor, above it, severe, and beyond what any textbook calls stable."""

__all__ = ["WIDTH", "LoopChart"]


class LoopChart:
    """Draws a report of the loop.

    Parameters
    ----------
    report
        The report, as `tidegate.demo.loop.report.build` makes it.
    """

    def __init__(self, report: Mapping[str, Any]) -> None:
        self._report = report
        self._time = Scale(0, max(report["seconds"], 1), LEFT, RIGHT)
        self._features = _features(report["windows"])
        self._flags = self._placed_flags()
        lanes = 1 + max((lane for *_, lane in self._flags), default=0)
        top = FLAGS_TOP + LANE_HEIGHT * lanes + TITLE_HEIGHT
        self._accuracy = Panel(top, top + ACCURACY_HEIGHT)
        self._drift = self._accuracy.under(ROW_HEIGHT * max(len(self._features), 1))
        self._share = self._drift.under(SHARE_HEIGHT)

    @property
    def height(self) -> float:
        """Height of the picture."""
        return self._share.bottom + AXIS_HEIGHT

    def draw(self) -> str:
        """Return the picture's elements."""
        parts = (self._planted(), self._accuracies(), self._windows(), self._shares(), self._axis(), self._poles())
        return "\n".join(parts)

    # -- accuracy ----------------------------------------------------------------------------------------------------

    def _accuracies(self) -> str:
        scale = Scale(40, 100, self._accuracy.bottom, self._accuracy.top)
        drawn = [svg.grid(scale, (40, 50, 60, 70, 80, 90, 100), " %", (LEFT, RIGHT), NAME_GAP)]
        for version, series in self._report["accuracy"].items():
            for run in svg.runs(series, LONGEST_GAP_SECONDS):
                places = [(self._time(at), scale(100 * share)) for at, share in run]
                drawn.append(svg.element("path", d=svg.polyline(places), class_=f"line {self._tone(version)}"))
        drawn += [self._estimate(scale, window) for window in self._report["windows"]]
        note = f"share of right answers over {self._report['accuracy_rows']} days; dashes: estimated without labels"
        return self._frame(self._accuracy, "Accuracy", note) + "".join(drawn)

    def _estimate(self, scale: Scale, window: Mapping[str, Any]) -> str:
        estimated = window.get("estimated_accuracy")
        if estimated is None:
            return ""
        y = scale(100 * estimated)
        return svg.line((self._time(window["start"]), y), (self._time(window["end"]), y), "estimate")

    # -- drift -------------------------------------------------------------------------------------------------------

    def _windows(self) -> str:
        drawn = [
            svg.text(LEFT - NAME_GAP, self._drift.top + ROW_HEIGHT * (place + 0.68), name, "tick end")
            for place, name in enumerate(self._features)
        ]
        drawn += [self._tile(window, place) for window in self._report["windows"] for place in self._places(window)]
        note = "population stability index of each window against the live version's training data"
        return self._frame(self._drift, "Drift", note) + "".join(drawn)

    def _places(self, window: Mapping[str, Any]) -> Iterable[tuple[int, float]]:
        return ((self._features.index(name), psi) for name, psi in window["psi"].items())

    def _tile(self, window: Mapping[str, Any], place: tuple[int, float]) -> str:
        row, psi = place
        start, end = self._time(window["start"]), self._time(window["end"])
        top = self._drift.top + ROW_HEIGHT * row
        shade = next(name for bound, name in SHADES if psi < bound)
        title = svg.element("title", f"{self._features[row]}: PSI {psi:.2f}")
        box = svg.element(
            "rect", title, x=start + 1, y=float(top + 1), width=max(end - start - 2, 1.0), height=float(ROW_HEIGHT - 2),
            rx=2, class_=f"tile {shade}",
        )  # fmt: skip
        wide = end - start > 34
        return box + (svg.text((start + end) / 2, top + 13, f"{psi:.2f}", f"tile-text middle {shade}") if wide else "")

    # -- traffic -----------------------------------------------------------------------------------------------------

    def _shares(self) -> str:
        scale = Scale(0, 100, self._share.bottom, self._share.top)
        shares: Sequence[tuple[float, Mapping[str, float]]] = self._report["shares"]
        drawn, below = [], [0.0] * len(shares)
        for version in reversed(list(self._report["versions"])):
            above = [low + now.get(version, 0.0) for low, (_, now) in zip(below, shares, strict=True)]
            drawn.append(self._band(version, [at for at, _ in shares], below, above, scale))
            below = above
        return self._frame(self._share, "Traffic", "share of each version") + "".join(drawn)

    def _band(
        self, version: str, moments: Sequence[float], below: Sequence[float], above: Sequence[float], scale: Scale
    ) -> str:
        if not moments or list(above) == list(below):
            return ""
        end = self._time(self._report["seconds"])
        top, bottom = (self._stairs(moments, values, scale, end) for values in (above, below))
        tone = self._tone(version)
        outline = svg.polyline([*top, *reversed(bottom)]) + "Z"
        widest = max(zip(moments, [*moments[1:], self._report["seconds"]], below, above, strict=True), key=_area)
        start, stop, low, high = widest
        label = svg.text(
            (self._time(start) + self._time(stop)) / 2, scale((low + high) / 2) + 5, version, "band-name middle"
        )
        return svg.element("path", d=outline, class_=f"band {tone}") + label

    def _stairs(self, moments: Sequence[float], values: Sequence[float], scale: Scale, end: float) -> list[Point]:
        return svg.stairs([(self._time(at), scale(value)) for at, value in zip(moments, values, strict=True)], end)

    # -- what all share ----------------------------------------------------------------------------------------------

    def _tone(self, version: str) -> str:
        return f"v{list(self._report['versions']).index(version) % 4}"

    def _frame(self, panel: Panel, title: str, note: str) -> str:
        heading = svg.element("tspan", title, class_="title") + svg.element("tspan", f" {note}", class_="note")
        return svg.element("text", heading, x=LEFT, y=float(panel.top - 10)) + svg.line(
            (LEFT, panel.bottom), (RIGHT, panel.bottom), "axis"
        )

    def _planted(self) -> str:
        """The stretch in which the data carry the planted drift, behind everything."""
        at = self._report["drift_at"]
        if at is None:
            return ""
        x = self._time(at)
        return svg.element(
            "rect", x=x, y=float(self._accuracy.top), width=RIGHT - x, height=self._drift.bottom - self._accuracy.top,
            class_="planted",
        )  # fmt: skip

    def _axis(self) -> str:
        base = self._share.bottom
        marks = svg.ticks(self._report["seconds"], 14, (30, 60, 120, 300))
        drawn = [
            svg.line((self._time(at), base), (self._time(at), base + 5), "axis")
            + svg.text(self._time(at), base + 19, clock(at), "tick middle")
            for at in marks
        ]
        words = f"minutes and seconds of traffic, {self._report['rows_a_minute']} days a minute"
        return "".join(drawn) + svg.text(RIGHT, base + 35, words, "tick end")

    def _placed_flags(self) -> list[tuple[Mapping[str, Any], float, float, int]]:
        events = self._report["events"]
        widths = [len(event["text"]) * CHARACTER + 14 for event in events]
        starts = [min(self._time(event["t"]), RIGHT - width) for event, width in zip(events, widths, strict=True)]
        lanes = svg.lanes([(start, start + width + 4) for start, width in zip(starts, widths, strict=True)])
        return list(zip(events, starts, widths, lanes, strict=True))

    def _poles(self) -> str:
        poles, flags = [], []
        for event, start, width, lane in self._flags:
            at, top = self._time(event["t"]), FLAGS_TOP + lane * LANE_HEIGHT
            poles.append(svg.line((at, top), (at, self._share.bottom), f"pole {event['kind']}"))
            plate = svg.element(
                "rect",
                x=float(start),
                y=float(top),
                width=float(width),
                height=16,
                rx=3,
                class_=f"flag {event['kind']}",
            )
            flags.append(plate + svg.text(start + 7, top + 11.8, event["text"], "flag-text"))
        return "".join([*poles, *flags])


def _features(windows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the features, those that moved most first."""
    most: dict[str, float] = {}
    for window in windows:
        for name, psi in window["psi"].items():
            most[name] = max(most.get(name, 0.0), psi)
    return sorted(most, key=lambda name: -most[name])


def _area(stretch: tuple[float, float, float, float]) -> float:
    start, stop, low, high = stretch
    return (stop - start) * (high - low)
