"""Which features moved, how, and since when; and all of them in a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from lambdas.monitoring.assessment.assessment import Assessment
from lambdas.monitoring.assessment.distributions import CONFIDENCE
from lambdas.monitoring.assessment.features import FeatureDrift
from lambdas.monitoring.assessment.finding import Kind, Severity, badness
from lambdas.monitoring.assessment.movement import movement
from lambdas.monitoring.assessment.policy import Policy
from lambdas.monitoring.assessment.summary import Summary, since
from lambdas.monitoring.assessment.wording import index, number, percent, short_chance
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.references import Reference
from lambdas.monitoring.profile.tallies import Tally
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.report.charts import distribution, spark
from lambdas.monitoring.report.markup import facts, pill, rich, table

WINDOWS_SHOWN = 24
_KEY = (
    '<p class="key"><span><i class="of-ref"></i>training</span><span><i class="of-now"></i>this window</span>'
    "<span>bars on the right: PSI of the last windows, by its logarithm</span></p>"
)
_NAMES = {
    Kind.DATA_DRIFT: "Next, for features",
    Kind.PREDICTION_DRIFT: "Next, for answers",
    Kind.CONFIDENCE_DRIFT: "Next, for confidence",
}
_UNJUDGED = (Severity.SUSPECT, Severity.UNDECIDED)


_Sides = tuple[Reference, Tally]


@dataclass(frozen=True)
class _Group:
    """What is shown together: distances, both sides of each, and PSI in earlier windows."""

    title: str
    drifts: Mapping[str, FeatureDrift]
    sides: Mapping[str, _Sides]
    history: Sequence[Mapping[str, float]]


class Drifts:
    """Draws how features and outputs have moved.

    Parameters
    ----------
    assessment, baseline, counts
        The window.
    history
        Earlier windows, in any order.
    policy
        By which it was judged.
    """

    def __init__(
        self,
        assessment: Assessment,
        baseline: Baseline,
        counts: WindowCounts,
        history: Sequence[Summary],
        policy: Policy,
    ) -> None:
        self._assessment = assessment
        self._policy = policy
        self._history = sorted((one for one in history if one.start < assessment.start), key=lambda one: one.start)
        columns = {name: (reference, counts.columns[name]) for name, reference in baseline.columns.items()}
        self._groups = (
            _Group("All features", assessment.features, columns, [one.psi for one in self._history]),
            _Group(
                "Answers", assessment.outputs, _outputs(baseline, counts), [one.output_psi for one in self._history]
            ),
        )

    def section(self) -> str:
        """Return a card for everything that moved, the worst first."""
        both = ((group, drift) for group in self._groups for drift in group.drifts.values() if drift.drifted)
        moved = sorted(both, key=lambda pair: (-badness(pair[1].severity), -pair[1].psi, pair[1].name))
        if not moved:
            return ""
        cards = "".join(self._card(group, drift) for group, drift in moved)
        steps = {one.kind: one.next_step for one in self._assessment.findings if one.kind in _NAMES and one.next_step}
        said = "".join(f'<p class="next"><b>{_NAMES[kind]}:</b> {rich(step)}</p>' for kind, step in steps.items())
        counted = self._assessment.severity not in _UNJUDGED
        title = "Which, how, since when" if counted else "What else is different, and not counted as drift"
        return f'<h2>{title}</h2>{_KEY}<div class="two">{cards}</div>{said}'

    def tables(self) -> str:
        """Return all features, and all outputs, in numbers."""
        return "".join(f"<h2>{group.title}</h2>{self._table(group)}" for group in self._groups if group.drifts)

    def _card(self, group: _Group, drift: FeatureDrift) -> str:
        reference, current = group.sides[drift.name]
        how = movement(drift, reference, current, self._policy.groups)
        run = ""
        if group is self._groups[0] and drift.name in self._assessment.drifted:
            run = str(since(drift.name, self._assessment.start, self._assessment.baseline_id, self._history))
        numbers = [
            ("PSI over chance", index(drift.psi)),
            ("by chance", short_chance(drift.adjusted_p_value)),
            ("Jensen-Shannon", index(drift.js)),
            ("missing", f"{percent(drift.reference_missing_share)} → {percent(drift.missing_share)}"),
        ]
        return (
            f'<article class="card moved {drift.severity}"><div class="head"><h3>{escape(drift.name)} '
            f"{pill(str(drift.severity))}</h3>{self._spark(group, drift)}</div>{distribution(reference.tally, current)}"
            f'{facts(numbers)}<p class="how">{rich(how)} <b>{escape(run)}</b></p></article>'
        )

    def _table(self, group: _Group) -> str:
        heads = (
            "",
            "last windows",
            "PSI",
            "by chance",
            "KS",
            "JS",
            "L∞",
            "missing",
            "(training)",
            "mean",
            "(training)",
        )
        ordered = sorted(group.drifts.values(), key=lambda drift: (-drift.drifted, -drift.psi, drift.name))
        return table(heads, (self._row(group, drift) for drift in ordered))

    def _row(self, group: _Group, drift: FeatureDrift) -> tuple[str, ...]:
        shown = pill(str(drift.severity)) if drift.drifted or drift.severity is Severity.UNDECIDED else ""
        numbers = (
            index(drift.psi),
            short_chance(drift.adjusted_p_value),
            _maybe(drift.ks),
            _maybe(drift.js),
            _maybe(drift.linf),
            percent(drift.missing_share),
            percent(drift.reference_missing_share),
            _maybe(drift.current.get("mean")),
            _maybe(drift.reference.get("mean")),
        )
        return (f"{escape(drift.name)} {shown}", self._spark(group, drift), *map(escape, numbers))

    def _spark(self, group: _Group, drift: FeatureDrift) -> str:
        earlier = [
            (one.window, None if one.severity in _UNJUDGED else psi[drift.name])
            for one, psi in zip(self._history, group.history, strict=True)
            if drift.name in psi
        ][1 - WINDOWS_SHOWN :]
        here = None if drift.severity is Severity.UNDECIDED else drift.psi
        windows = [*earlier, (self._assessment.window, here)]
        return spark([(at, psi, self._tone(psi)) for at, psi in windows], WINDOWS_SHOWN)

    def _tone(self, psi: float | None) -> str:
        return str(self._policy.drift.severity(psi)) if psi is not None else str(Severity.UNDECIDED)


def _outputs(baseline: Baseline, counts: WindowCounts) -> dict[str, _Sides]:
    found: dict[str, _Sides] = {name: (one, counts.outputs[name]) for name, one in baseline.outputs.items()}
    if baseline.confidence is not None and counts.confidence is not None:
        found[CONFIDENCE] = (baseline.confidence, counts.confidence)
    return found


def _maybe(value: float | None) -> str:
    return "–" if value is None else number(round(value, 3) if abs(value) < 1 else value)
