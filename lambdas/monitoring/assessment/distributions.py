"""Whether distributions have moved: of columns, of outputs, and of the model's confidence.

All are tested as one family by Benjamini and Hochberg. An alarm takes both: chance does not explain the difference,
and it is larger than what matters.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.monitoring.assessment.features import FeatureDrift, compared
from lambdas.monitoring.assessment.finding import Finding, Kind, Severity
from lambdas.monitoring.assessment.movement import movement
from lambdas.monitoring.assessment.policy import Policy
from lambdas.monitoring.assessment.summary import Summary, since
from lambdas.monitoring.assessment.wording import chance, index, number
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.references import Reference
from lambdas.monitoring.profile.tallies import Tally
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.statistics import adjusted, rows_needed

CONFIDENCE = "(confidence)"
"""The model's confidence among the outputs; in brackets, which keep it apart from any that a model may have."""

_NEXT = {
    Kind.DATA_DRIFT: "Look first for a cause upstream (a unit, a default value, a new client, a broken sensor). If the "
    "world has really changed, the model needs retraining on data since then.",
    Kind.PREDICTION_DRIFT: "If inputs moved too, the answers follow them; if none did, look at the model's version and "
    "its last deployment.",
    Kind.CONFIDENCE_DRIFT: "The model meets inputs that it is less, or more, sure about than in training. See the "
    "estimated accuracy, and the features that moved.",
}


@dataclass(frozen=True)
class _Pair:
    """Something to compare."""

    kind: Kind
    name: str
    reference: Reference
    current: Tally


def compare(baseline: Baseline, counts: WindowCounts, policy: Policy) -> dict[Kind, dict[str, FeatureDrift]]:
    """Return how far everything is from its baseline, by kind of drift and name."""
    pairs = list(_pairs(baseline, counts, policy))
    drifts = {
        (pair.kind, pair.name): drift
        for pair in pairs
        if (drift := compared(pair.name, pair.reference, pair.current, policy.groups)) is not None
    }
    p_values = adjusted({f"{kind} {name}": drift.p_value for (kind, name), drift in drifts.items()})
    found: dict[Kind, dict[str, FeatureDrift]] = {pair.kind: {} for pair in pairs}
    for (kind, name), drift in drifts.items():
        found[kind][name] = _judged(drift, p_values[f"{kind} {name}"], len(drifts), policy)
    return found


def findings(
    baseline: Baseline,
    counts: WindowCounts,
    drifts: Mapping[Kind, Mapping[str, FeatureDrift]],
    policy: Policy,
    history: Sequence[Summary],
) -> list[Finding]:
    """Return what has drifted, in words."""
    pairs = {(pair.kind, pair.name): pair for pair in _pairs(baseline, counts, policy)}
    return [
        _finding(pairs[kind, name], drift, counts, policy, history)
        for kind, named in drifts.items()
        for name, drift in named.items()
        if drift.drifted
    ]


def _pairs(baseline: Baseline, counts: WindowCounts, policy: Policy) -> Iterator[_Pair]:
    for kind, references, tallies in (
        (Kind.DATA_DRIFT, baseline.columns, counts.columns),
        (Kind.PREDICTION_DRIFT, baseline.outputs, counts.outputs),
    ):
        for name, reference in references.items():
            if name in tallies and name not in policy.redacted:
                yield _Pair(kind, name, reference, tallies[name])
    if baseline.confidence is not None and counts.confidence is not None:
        yield _Pair(Kind.CONFIDENCE_DRIFT, CONFIDENCE, baseline.confidence, counts.confidence)


def _judged(drift: FeatureDrift, p_value: float, features: int, policy: Policy) -> FeatureDrift:
    needed = rows_needed(
        policy.drift.severe,
        drift.reference_rows,
        bins=policy.groups,
        features=features,
        level=policy.level,
        power=policy.power,
    )
    if needed is None or drift.rows < needed:
        return drift.judged(p_value, Severity.UNDECIDED, needed)
    severity = policy.drift.severity(drift.psi) if p_value <= policy.level else Severity.INFO
    return drift.judged(p_value, severity, needed)


def _finding(
    pair: _Pair, drift: FeatureDrift, counts: WindowCounts, policy: Policy, history: Sequence[Summary]
) -> Finding:
    size = (
        f"PSI {index(drift.psi)} over what chance gives at {drift.rows:,} rows "
        f"({drift.severity} from {number(_floor(drift, policy))}; by chance {chance(drift.adjusted_p_value)})."
    )
    run = since(pair.name, counts.start, counts.baseline_id, history) if pair.kind is Kind.DATA_DRIFT else None
    parts = (f"`{pair.name}` has moved: {size}", movement(drift, pair.reference, pair.current, policy.groups), run)
    numbers: dict[str, Any] = {"psi": drift.psi, "p_value": drift.adjusted_p_value, "rows": drift.rows}
    if run is not None:
        numbers |= {"since": run.start, "windows": run.windows}
    text = " ".join(str(part) for part in parts if part)
    return Finding(pair.kind, drift.severity, pair.name, text, _NEXT[pair.kind], numbers)


def _floor(drift: FeatureDrift, policy: Policy) -> float:
    return policy.drift.severe if drift.severity is Severity.SEVERE else policy.drift.moderate
