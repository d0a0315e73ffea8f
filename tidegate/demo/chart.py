"""The run as one picture: each version's share of the traffic, errors, latency and right answers over time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate import svg
from tidegate.demo.measure import percentile
from tidegate.demo.report import Dot
from tidegate.svg import Point, Scale

WIDTH = 1120
LEFT, RIGHT = 62, 1096
LANE_HEIGHT = 19
FLAGS_TOP = 14
TITLE_HEIGHT = 34
SHARE_HEIGHT, ERROR_HEIGHT, LATENCY_HEIGHT, ANSWER_HEIGHT = 170, 96, 190, 96
AXIS_HEIGHT = 40
CHARACTER = 6.3
WINDOW_SECONDS = 5.0
LATENCY_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


@dataclass(frozen=True)
class Panel:
    """A strip of the picture."""

    top: float
    bottom: float

    def under(self, height: float) -> Panel:
        """Return the panel below this one, with room for its title."""
        top = self.bottom + TITLE_HEIGHT
        return Panel(top, top + height)


class Chart:
    """Draws a report.

    Parameters
    ----------
    report
        The report.
    dots
        Every request.
    """

    def __init__(self, report: Mapping[str, Any], dots: Sequence[Dot]) -> None:
        self._report = report
        self._dots = dots
        self._time = Scale(0, max(report["seconds"], 1), LEFT, RIGHT)
        self._tones = tones(report)
        self._flags = list(self._placed_flags())
        top = FLAGS_TOP + LANE_HEIGHT * (1 + max((lane for *_, lane in self._flags), default=0)) + TITLE_HEIGHT
        self._share = Panel(top, top + SHARE_HEIGHT)
        self._error = self._share.under(ERROR_HEIGHT)
        self._answer = self._error.under(ANSWER_HEIGHT)
        self._latency = self._answer.under(LATENCY_HEIGHT)

    @property
    def height(self) -> float:
        """Height of the picture."""
        return self._latency.bottom + AXIS_HEIGHT

    def draw(self) -> str:
        """Return the picture's elements."""
        parts = (
            self._time_axis(),
            self._shares(),
            self._errors(),
            self._answers(),
            self._latencies(),
            self._flag_lines(),
        )
        return "\n".join(parts)

    # -- time and events ---------------------------------------------------------------------------------------------

    def _time_axis(self) -> str:
        base = self._latency.bottom
        marks = svg.ticks(self._report["seconds"], 14, (5, 10, 15, 20, 30, 60))
        drawn = [
            svg.line((self._time(at), base), (self._time(at), base + 5), "axis")
            + svg.text(self._time(at), base + 19, clock(at), "tick middle")
            for at in marks
        ]
        return "".join(drawn) + svg.text(RIGHT, base + 35, "minutes and seconds of traffic", "tick end")

    def _placed_flags(self) -> Iterable[tuple[Mapping[str, Any], float, float, int]]:
        events = self._report["events"]
        spans = []
        for event in events:
            width = len(event["text"]) * CHARACTER + 14
            # A flag at the right edge hangs to the left of its pole.
            start = min(self._time(event["t"]), RIGHT - width)
            spans.append((start, start + width + 4))
        for event, (start, _), lane in zip(events, spans, svg.lanes(spans), strict=True):
            yield event, start, len(event["text"]) * CHARACTER + 14, lane

    def _flag_lines(self) -> str:
        drawn = []
        for event, start, width, lane in self._flags:
            at = self._time(event["t"])
            top = FLAGS_TOP + lane * LANE_HEIGHT
            tone = (
                "bad" if event["kind"] in ("alarm", "judge", "rolled_back") else self._tones.get(event["version"], "v0")
            )
            pole = svg.line((at, top), (at, self._latency.bottom), f"pole {event['kind']}")
            plate = svg.element(
                "rect", x=float(start), y=float(top), width=float(width), height=16, rx=3, class_=f"flag {tone}"
            )
            words = svg.text(start + 7, top + 11.8, event["text"], "flag-text")
            title = svg.element("title", f"{clock(event['t'])}.{int(event['t'] * 10 % 10)}")
            drawn.append((pole, svg.element("g", title + plate + words)))
        return "".join(pole for pole, _ in drawn) + "".join(flag for _, flag in drawn)

    # -- panels ------------------------------------------------------------------------------------------------------

    def _frame(self, panel: Panel, title: str, note: str) -> str:
        heading = svg.element("tspan", title, class_="title") + svg.element("tspan", f"  {note}", class_="note")
        return (
            svg.element("text", heading, x=LEFT, y=float(panel.top - 10), xml__space="preserve")
            + svg.line((LEFT, panel.bottom), (RIGHT, panel.bottom), "axis")
        ).replace("xml--space", "xml:space")

    def _limit(self, scale: Scale, value: float | None, text: str) -> str:
        if value is None or value > scale.high:
            return ""
        y = scale(value)
        return svg.line((LEFT, y), (RIGHT, y), "limit") + svg.text(RIGHT, y - 4, text, "limit-text end")

    def _shares(self) -> str:
        panel = self._share
        scale = Scale(0, 100, panel.bottom, panel.top)
        drawn = [svg.grid(scale, (0, 25, 50, 75, 100), " %", (LEFT, RIGHT))]
        below = [0.0] * len(self._report["shares"])
        # The newest version lies at the bottom, so that it rises like a tide.
        for version in reversed(self._versions):
            heights = [now.get(version, 0.0) for _, now in self._report["shares"]]
            above = [low + height for low, height in zip(below, heights, strict=True)]
            drawn.append(self._band(version, below, above, scale) + self._name_band(version, below, above, scale))
            below = above
        return self._frame(panel, "Traffic", "share of each version, by DescribeEndpoint") + "".join(drawn)

    def _band(self, version: str, below: Sequence[float], above: Sequence[float], scale: Scale) -> str:
        moments = [at for at, _ in self._report["shares"]]
        if not moments or above == below:
            return ""
        end = self._time(self._report["seconds"])
        top = svg.stairs([(self._time(at), scale(value)) for at, value in zip(moments, above, strict=True)], end)
        bottom = svg.stairs([(self._time(at), scale(value)) for at, value in zip(moments, below, strict=True)], end)
        outline = svg.polyline([*top, *reversed(bottom)]) + "Z"
        return svg.element("path", d=outline, class_=f"band {self._tones[version]}")

    def _name_band(self, version: str, below: Sequence[float], above: Sequence[float], scale: Scale) -> str:
        stretch = self._widest(below, above)
        if stretch is None:
            return ""
        start, end, low, high = stretch
        middle = (self._time(start) + self._time(end)) / 2
        label = svg.text(middle, scale((low + high) / 2) + 5, version, "band-name middle")
        return label if self._time(end) - self._time(start) > 44 else ""

    def _widest(self, below: Sequence[float], above: Sequence[float]) -> tuple[float, float, float, float] | None:
        moments = [at for at, _ in self._report["shares"]] + [self._report["seconds"]]
        stretches = [
            (moments[index], moments[index + 1], low, high)
            for index, (low, high) in enumerate(zip(below, above, strict=True))
            if high - low >= 20
        ]
        return max(stretches, key=lambda stretch: (stretch[1] - stretch[0]) * (stretch[3] - stretch[2]), default=None)

    def _errors(self) -> str:
        panel = self._error
        rates = {version: list(error_rate(self._of(version))) for version in self._versions}
        highest = max((rate for series in rates.values() for _, rate in series), default=0.0)
        high = next((top for top in (10, 20, 40, 60, 100) if highest <= top), 100)
        scale = Scale(0, high, panel.bottom, panel.top)
        limit = self._report.get("limits", {}).get("error_percent")
        drawn = [svg.grid(scale, (0, high / 2, high), " %", (LEFT, RIGHT))]
        drawn += [self._line(version, rates[version], scale, filled=True) for version in self._versions]
        drawn.append(self._limit(scale, limit, f"alarm above {limit:g} %" if limit is not None else ""))
        return self._frame(panel, "Errors", f"failed share of each version's requests, {_WINDOW}") + "".join(drawn)

    def _answers(self) -> str:
        panel = self._answer
        scale = Scale(0, 100, panel.bottom, panel.top)
        drawn = [svg.grid(scale, (0, 50, 100), " %", (LEFT, RIGHT))]
        drawn += [self._line(version, right_share(self._of(version)), scale) for version in self._versions]
        note = f"share that was right about the rain, {_WINDOW}; the judge does not know it, and compares the versions"
        return self._frame(panel, "Answers", note) + "".join(drawn)

    def _latencies(self) -> str:
        panel = self._latency
        limit = self._report.get("limits", {}).get("p99_ms")
        values = [dot.latency_ms for dot in self._dots] or [1.0, 10.0]
        values += [limit] if limit is not None else []
        low = max((tick for tick in LATENCY_TICKS if tick <= min(values)), default=LATENCY_TICKS[0])
        high = min((tick for tick in LATENCY_TICKS if tick >= max(values)), default=LATENCY_TICKS[-1])
        scale = Scale(low, max(high, low * 10), panel.bottom, panel.top, log=True)
        ticks = (tick for tick in LATENCY_TICKS if scale.low <= tick <= scale.high)
        drawn = [svg.grid(scale, ticks, " ms", (LEFT, RIGHT))]
        drawn += [self._cloud(version, scale) for version in self._versions]
        drawn += [self._line(version, tail(self._of(version)), scale) for version in self._versions]
        drawn.append(self._failures(scale))
        drawn.append(
            self._limit(scale, limit, f"alarm above {limit:g} ms of model latency" if limit is not None else "")
        )
        note = f"a dot for every request, failed ones crossed; lines: 99th percentile, {_WINDOW}"
        return self._frame(panel, "Latency", note) + "".join(drawn)

    def _cloud(self, version: str, scale: Scale) -> str:
        places = [(self._time(dot.t), scale(dot.latency_ms)) for dot in self._of(version) if not dot.failed]
        return svg.element("path", d=svg.dots(places), class_=f"dot {self._tones[version]}") if places else ""

    def _failures(self, scale: Scale) -> str:
        places = [(self._time(dot.t), scale(dot.latency_ms)) for dot in self._dots if dot.failed]
        crosses = "".join(f"M{svg.number(x - 2)} {svg.number(y - 2)}l4 4m-4 0l4-4" for x, y in places)
        return svg.element("path", d=crosses, class_="cross") if places else ""

    def _line(self, version: str, series: Iterable[Point], scale: Scale, *, filled: bool = False) -> str:
        drawn = []
        for run in svg.runs(series, 2.5):
            places = [(self._time(at), scale(value)) for at, value in run]
            tone = self._tones[version]
            if filled and any(value for _, value in run):
                outline = [(places[0][0], scale.start), *places, (places[-1][0], scale.start)]
                drawn.append(svg.element("path", d=svg.polyline(outline) + "Z", class_=f"fill {tone}"))
            drawn.append(svg.element("path", d=svg.polyline(places), class_=f"line {tone}"))
        return "".join(drawn)

    @property
    def _versions(self) -> list[str]:
        return list(self._tones)

    def _of(self, version: str) -> list[Dot]:
        return [dot for dot in self._dots if dot.version == version]


_WINDOW = f"over {WINDOW_SECONDS:g} s"


def tones(report: Mapping[str, Any]) -> dict[str, str]:
    """Return the colour class of each version: good, bad, wrong, and the same one for all others."""
    expected = report["expected"]
    seen = sorted({version for _, now in report["shares"] for version in now} | set(report["series"]))
    return dict.fromkeys(seen, "v0") | {expected["good"]: "v1", expected["bad"]: "v2", expected["wrong"]: "v3"}


def clock(seconds: float) -> str:
    """Return seconds as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def error_rate(dots: Sequence[Dot]) -> Iterable[Point]:
    """Yield, for each second, the share in per cent that failed in the window that ends there."""
    for at, window in _windows(dots):
        yield at, 100 * sum(1 for dot in window if dot.failed) / len(window)


def right_share(dots: Sequence[Dot]) -> Iterable[Point]:
    """Yield, for each second, the share in per cent that was right in the window that ends there."""
    for at, window in _windows([dot for dot in dots if dot.right is not None]):
        yield at, 100 * sum(1 for dot in window if dot.right) / len(window)


def tail(dots: Sequence[Dot]) -> Iterable[Point]:
    """Yield, for each second, the 99th percentile in the window that ends there."""
    for at, window in _windows(dots):
        value = percentile([dot.latency_ms for dot in window], 0.99)
        if value is not None:
            yield at, value


def _windows(dots: Sequence[Dot]) -> Iterable[tuple[float, Sequence[Dot]]]:
    if not dots:
        return
    ordered = sorted(dots, key=lambda dot: dot.t)
    moments = [dot.t for dot in ordered]
    for second in range(int(moments[0]), int(moments[-1]) + 1):
        end = bisect_right(moments, second + 1.0)
        if end > bisect_right(moments, second):
            yield min(second + 1.0, moments[-1]), ordered[bisect_right(moments, second + 1 - WINDOW_SECONDS) : end]
