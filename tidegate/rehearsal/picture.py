"""Rehearsals as one picture: what was recorded, and under it a strip for every contender."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate import svg
from tidegate.rehearsal.outcomes import Outcome
from tidegate.rehearsal.recording import Answered, Recording
from tidegate.rehearsal.replay import End, Run
from tidegate.rehearsal.words import minutes
from tidegate.svg import Point, Scale

WIDTH, LEFT, RIGHT = 1120, 62, 1096
TITLE = 30
RECORDED_HEIGHT, STRIP_HEIGHT, AXIS_HEIGHT = 110, 64, 40
SMOOTH_SECONDS = 120.0
MINUTE_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 240)
DESCRIPTION = "Weight of the new version over time under each policy, with the moment in which it was rolled back"


def draw(recording: Recording, outcomes: Sequence[Outcome]) -> str:
    """Return the picture as a file of its own."""
    picture = _Picture(recording, outcomes)
    return svg.card(picture.draw(), (WIDTH, picture.height), DESCRIPTION, svg.style_sheet())


class _Picture:
    def __init__(self, recording: Recording, outcomes: Sequence[Outcome]) -> None:
        self._recording, self._outcomes = recording, outcomes
        shown = [runs.shown for outcome in outcomes for runs in (outcome.new, outcome.good) if runs]
        self._seconds = max(run.seconds for run in shown)
        self._time = Scale(0, self._seconds, LEFT, RIGHT)
        self.height = (TITLE + RECORDED_HEIGHT) + len(outcomes) * (TITLE + STRIP_HEIGHT) + AXIS_HEIGHT

    def draw(self) -> str:
        """Return its elements."""
        top = float(TITLE)
        parts = [self._recorded(top)]
        top += RECORDED_HEIGHT
        for outcome in self._outcomes:
            top += TITLE
            parts.append(self._strip(outcome, top))
            top += STRIP_HEIGHT
        return "\n".join([*parts, self._axis(top)])

    def _recorded(self, top: float) -> str:
        start = self._recording.first_of_new
        shown = self._recording.periods[start : start + round(self._seconds / self._recording.period_seconds)]
        versions = {"v0": [period.live for period in shown], "v2": [period.new for period in shown]}
        lines = {tone: self._rates(answered) for tone, answered in versions.items()}
        highest = max((rate for series in lines.values() for _, rate in series), default=0.0)
        high = next((each for each in (1, 2, 5, 10, 20, 50, 100) if highest <= each), 100)
        scale = Scale(0, high, top + RECORDED_HEIGHT, top)
        drawn = [
            svg.grid(scale, (0, high / 2, high), " %", (LEFT, RIGHT)),
            _title("Recorded", self._recorded_note(), top),
        ]
        for tone, series in lines.items():
            for run in svg.runs(series, 1.5 * self._recording.period_seconds):
                places = [(self._time(at), scale(rate)) for at, rate in run]
                drawn.append(svg.element("path", d=svg.polyline(places), class_=f"line {tone}"))
        return "".join(drawn)

    def _recorded_note(self) -> str:
        slow = " or were slow" if self._recording.has_slow else ""
        return f"share of requests that failed{slow}: live version grey, new version orange, over {SMOOTH_SECONDS:g} s"

    def _rates(self, answered: Sequence[Answered]) -> list[Point]:
        period = self._recording.period_seconds
        window = max(round(SMOOTH_SECONDS / period), 1)
        found = []
        for index in range(len(answered)):
            whole = sum(answered[max(index + 1 - window, 0) : index + 1], Answered())
            if whole.requests:
                found.append(((index + 1.0) * period, 100 * whole.bad / whole.requests))
        return found

    def _strip(self, outcome: Outcome, top: float) -> str:
        scale = Scale(0, 100, top + STRIP_HEIGHT, top)
        drawn = [svg.grid(scale, (0, 100), " %", (LEFT, RIGHT)), _title(outcome.contender.name, _note(outcome), top)]
        drawn.append(self._run(outcome.good.shown, scale, "v1", filled=False))
        if outcome.new is not None:
            drawn.append(self._run(outcome.new.shown, scale, "v2", filled=True))
        return "".join(drawn)

    def _run(self, run: Run, scale: Scale, tone: str, *, filled: bool) -> str:
        places = [(self._time(at), scale(weight)) for at, weight in run.weights]
        corners = svg.stairs(places, self._time(run.seconds))
        drawn = ""
        if filled:
            outline = [(corners[0][0], scale.start), *corners, (corners[-1][0], scale.start)]
            drawn += svg.element("path", d=svg.polyline(outline) + "Z", class_=f"fill {tone}")
        drawn += svg.element("path", d=svg.polyline(corners), class_=f"line {tone}")
        if run.end is End.ROLLED_BACK:
            at = self._time(run.seconds)
            drawn += svg.line((at, scale.start), (at, scale.end), "pole zero")
        return drawn

    def _axis(self, base: float) -> str:
        marks = svg.ticks(self._seconds / 60, 14, MINUTE_STEPS)
        drawn = [
            svg.line((self._time(at * 60), base), (self._time(at * 60), base + 5), "axis")
            + svg.text(self._time(at * 60), base + 19, f"{at:g}", "tick middle")
            for at in marks
        ]
        return "".join(drawn) + svg.text(RIGHT, base + 35, "minutes of the rollout", "tick end")


def _title(title: str, note: str, top: float) -> str:
    return svg.text(LEFT, top - 9, title, "title") + svg.text(RIGHT, top - 9, note, "note end")


def _note(outcome: Outcome) -> str:
    good = f"as good as the live one (green): {_ending(outcome.good.shown)}"
    return good if outcome.new is None else f"the new version (orange): {_ending(outcome.new.shown)}; {good}"


def _ending(run: Run) -> str:
    return f"{run.end.value}, {minutes(run.seconds)}"
