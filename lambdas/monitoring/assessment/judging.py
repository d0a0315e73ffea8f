"""Judges a window: counts, a baseline and what is remembered, in; an assessment, out. Pure."""

from collections.abc import Mapping, Sequence
from itertools import chain

from lambdas.monitoring.assessment import distributions, joint, quality, traffic, values
from lambdas.monitoring.assessment.assessment import Assessment
from lambdas.monitoring.assessment.features import FeatureDrift
from lambdas.monitoring.assessment.finding import Finding, Kind, Severity, badness, worst
from lambdas.monitoring.assessment.policy import Policy
from lambdas.monitoring.assessment.summary import Summary
from lambdas.monitoring.assessment.wording import listed, number
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.statistics import rows_needed
from lambdas.monitoring.statistics.sample_size import reference_rows_needed

# What is concluded from distributions, and so from nothing while a window is broken or too small.
_OF_DISTRIBUTIONS = frozenset(
    {
        Kind.DATA_DRIFT,
        Kind.PREDICTION_DRIFT,
        Kind.CONFIDENCE_DRIFT,
        Kind.JOINT_DRIFT,
        Kind.ESTIMATED_ACCURACY,
        Kind.UNSEEN_CATEGORIES,
    }
)
_WITHHELD = {
    Severity.SUSPECT: "Not counted as drift while the window's data are broken; judged anew when they are whole.",
    Severity.UNDECIDED: "Not counted as drift: there is too little to be sure.",
}
_MINUTES = 16


def assess(
    baseline: Baseline | None, counts: WindowCounts, policy: Policy | None = None, history: Sequence[Summary] = ()
) -> Assessment:
    """Judge a window.

    Parameters
    ----------
    baseline
        Of the live model; None where it has none.
    counts
        Of the window, counted with that baseline.
    policy
        Where things begin to matter; None: the defaults.
    history
        Earlier windows of the endpoint, in any order: what is usual, and since when. Later ones, and this one as it
        was looked at before, are ignored.

    Raises
    ------
    ProfileError
        If the counts were made with another baseline.
    """
    policy = policy or Policy()
    if baseline is None:
        return _concluded(
            None, counts, [traffic.no_baseline(counts), *traffic.findings(counts, policy, history)], {}, {}
        )
    if counts.baseline_id != baseline.id:
        said = f"the baseline given is {baseline.id}; count the window anew with it"
        raise ProfileError("counts.baseline_id", counts.baseline_id, said)
    drifts = distributions.compare(baseline, counts, policy)
    columns = drifts.pop(Kind.DATA_DRIFT, {})
    outputs = dict(chain.from_iterable(named.items() for named in drifts.values()))
    needed = _needed(baseline, len(columns) + len(outputs), policy)
    found = [
        *traffic.findings(counts, policy, history),
        *traffic.of_baseline(baseline, counts, policy),
        *values.findings(baseline, counts, policy),
        *_too_few(baseline, counts, columns, needed, policy),
        *distributions.findings(baseline, counts, {Kind.DATA_DRIFT: columns, **drifts}, policy, history),
        *quality.findings(baseline, counts, policy),
    ]
    if worst(found) not in _WITHHELD:
        found += joint.findings(baseline, counts, columns, policy)
    return _concluded(baseline, counts, found, columns, outputs, needed)


def _needed(baseline: Baseline, features: int, policy: Policy) -> dict[str, int | None]:
    floors = {"moderate": policy.drift.moderate, "severe": policy.drift.severe}
    return {
        name: rows_needed(
            floor, baseline.rows, bins=policy.groups, features=features, level=policy.level, power=policy.power
        )
        for name, floor in floors.items()
    }


def _too_few(
    baseline: Baseline,
    counts: WindowCounts,
    columns: Mapping[str, FeatureDrift],
    needed: Mapping[str, int | None],
    policy: Policy,
) -> list[Finding]:
    """Return a finding if there are too few rows to judge the window, or some of its columns."""
    few = [name for name, drift in columns.items() if drift.severity is Severity.UNDECIDED]
    if not counts.rows or not columns or not few:
        return []
    least = needed["severe"]
    numbers = {"rows": counts.rows, "needed": least, "columns": few}
    if least is None:
        enough = reference_rows_needed(
            policy.drift.severe, bins=policy.groups, features=len(columns), level=policy.level, power=policy.power
        )
        text = f"The baseline has {baseline.rows:,} rows; below {enough:,} no window is enough to judge drift by."
        step = "Train with a larger baseline."
        return [Finding(Kind.TOO_FEW_ROWS, Severity.MODERATE, "baseline", text, step, numbers, Severity.UNDECIDED)]
    if len(few) < len(columns):
        text = f"Too few values to judge {listed(few)}; {least:,} are needed. The other columns are judged."
        step = "See their share of missing values."
        return [Finding(Kind.TOO_FEW_ROWS, Severity.INFO, "columns", text, step, numbers)]
    text = (
        f"{counts.rows:,} rows; {least:,} are needed to find a drift of PSI {number(policy.drift.severe)} in one of "
        f"{len(columns)} columns with a chance of {policy.power:.0%}."
    )
    step = "Nothing is concluded. If this is the usual traffic, make windows longer (`window_minutes`)."
    return [Finding(Kind.TOO_FEW_ROWS, Severity.MODERATE, "window", text, step, numbers, Severity.UNDECIDED)]


def _concluded(
    baseline: Baseline | None,
    counts: WindowCounts,
    found: list[Finding],
    columns: Mapping[str, FeatureDrift],
    outputs: Mapping[str, FeatureDrift],
    needed: Mapping[str, int | None] | None = None,
) -> Assessment:
    severity = worst(found)
    drifted = [name for name, drift in columns.items() if drift.drifted and severity not in _WITHHELD]
    drifted.sort(key=lambda name: -columns[name].psi)
    return Assessment(
        endpoint=counts.endpoint,
        window=f"{counts.start[:_MINUTES]}Z",
        start=counts.start,
        end=counts.end,
        model_version=baseline.model_version if baseline else "",
        baseline_id=counts.baseline_id,
        severity=severity,
        drifted=tuple(drifted),
        severe=tuple(name for name in drifted if columns[name].severity is Severity.SEVERE),
        findings=_ordered(found, severity),
        features=columns,
        outputs=outputs,
        performance=quality.performance(baseline, counts),
        rows=counts.rows,
        rows_needed=needed or {},
    )


def _ordered(found: Sequence[Finding], severity: Severity) -> tuple[Finding, ...]:
    """Return findings, the worst first; in a window that cannot be judged, drift is something to know and no more."""
    why = _WITHHELD.get(severity)
    said = [one.as_info(why) if why and one.kind in _OF_DISTRIBUTIONS else one for one in found]
    size = {one.subject: one.numbers.get("psi", 0.0) for one in said if one.kind is Kind.DATA_DRIFT}
    return tuple(
        sorted(said, key=lambda one: (-badness(one.makes), -badness(one.severity), -size.get(one.subject, 0.0)))
    )
