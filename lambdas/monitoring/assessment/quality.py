"""How well the model does: estimated before labels come, measured once they have, and by slice."""

from collections.abc import Iterator, Mapping
from typing import Any

from lambdas.monitoring.assessment.finding import Finding, Kind, Severity
from lambdas.monitoring.assessment.policy import Policy
from lambdas.monitoring.assessment.wording import chance, percent, points
from lambdas.monitoring.performance import Confusion, Estimate, Estimates, Measured, drop_p_value, estimate, measured
from lambdas.monitoring.performance.quality import standard_error
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.performance import PerformanceSums
from lambdas.monitoring.profile.quality import Quality
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.statistics import rejected

# Labelled rows below which a slice is not looked at.
LEAST_IN_SLICE = 30

# Share of labels for rows that nobody knows from which something is wrong with how they are joined.
MANY_UNKNOWN = 0.1


def estimates(sums: PerformanceSums) -> Estimates | None:
    """Return the estimated quality of rows; None where there is no calibrated probability."""
    return estimate(
        sums.calibrated_rows,
        sums.calibrated_positive,
        sums.calibrated_over_positive,
        sums.calibrated_over_negative,
        sums.calibrated_variance,
    )


def shares(sums: PerformanceSums) -> dict[str, Measured]:
    """Return the measured quality of rows; empty without labels."""
    return measured(Confusion(sums.tp, sums.fp, sums.fn, sums.tn))


def performance(baseline: Baseline | None, counts: WindowCounts) -> dict[str, Any]:
    """Return all that is known of the model's quality, in plain form."""
    sums = counts.performance
    estimated, known = estimates(sums), shares(sums)
    named = {} if estimated is None else {n: getattr(estimated, n) for n in ("accuracy", "precision", "recall", "f1")}
    return {
        "rows": sums.n,
        "labelled": sums.labelled,
        "reference": baseline.quality.to_json() if baseline and baseline.quality else None,
        "estimated": {name: _estimated(one) for name, one in named.items() if one is not None},
        "measured": {name: _measured(one) for name, one in known.items()},
        "brier": sums.brier_sum / sums.scored if sums.scored else None,
    }


def _estimated(one: Estimate) -> dict[str, float]:
    low, high = one.interval()
    return {"value": one.value, "low": low, "high": high}


def _measured(one: Measured) -> dict[str, float]:
    low, high = one.interval
    return {"value": one.value, "low": low, "high": high, "trials": one.trials}


def findings(baseline: Baseline, counts: WindowCounts, policy: Policy) -> list[Finding]:
    """Return where the model does worse than when it was made."""
    found = list(_unknown_labels(counts))
    if baseline.quality is not None:
        found += _estimate(baseline.quality, counts, policy)
        found += _accuracy(baseline.quality, counts, policy)
    return [*found, *_slices(counts, policy)]


def _estimate(before: Quality, counts: WindowCounts, policy: Policy) -> Iterator[Finding]:
    estimated = estimates(counts.performance)
    if estimated is None:
        return
    now, rows = estimated.accuracy, counts.performance.calibrated_rows
    drop = before.accuracy - now.value
    p_value = _drop(before, now.value, rows)
    severity = policy.accuracy.severity(drop)
    if severity is Severity.INFO or p_value > policy.quality_level:
        return
    low, high = now.interval()
    text = (
        f"Accuracy is estimated at {percent(now.value)} ({percent(low)} to {percent(high)}) from the model's own "
        f"probabilities on {rows:,} rows; it was {percent(before.accuracy)} on {before.rows:,} rows when the model was "
        f"made, {points(drop)} more (by chance {chance(p_value)})."
    )
    step = "Inputs are harder for the model than in training: see which features moved. Labels will tell for certain."
    numbers = {"estimated": now.value, "low": low, "high": high, "before": before.accuracy, "p_value": p_value}
    yield Finding(Kind.ESTIMATED_ACCURACY, severity, "accuracy", text, step, numbers)


def _accuracy(before: Quality, counts: WindowCounts, policy: Policy) -> Iterator[Finding]:
    known = shares(counts.performance).get("accuracy")
    if known is None:
        return
    drop = before.accuracy - known.value
    p_value = _drop(before, known.value, known.trials)
    severity = policy.accuracy.severity(drop)
    if severity is Severity.INFO or p_value > policy.quality_level:
        return
    low, high = known.interval
    text = (
        f"Accuracy is {percent(known.value)} ({percent(low)} to {percent(high)}) on {known.trials:,} labelled rows; it "
        f"was {percent(before.accuracy)} on {before.rows:,} rows when the model was made, {points(drop)} more (by "
        f"chance {chance(p_value)}).{_concept(counts, known, policy)}"
    )
    step = "Answers are worse now. Retrain on labelled rows since the drop began, or go back to an earlier version."
    numbers = {"accuracy": known.value, "low": low, "high": high, "before": before.accuracy, "p_value": p_value}
    numbers["labelled"] = known.trials
    yield Finding(Kind.ACCURACY, severity, "accuracy", text, step, numbers)


def _concept(counts: WindowCounts, known: Measured, policy: Policy) -> str:
    """Say whether inputs explain the drop: the estimate knows of inputs, not of answers that mean something else."""
    estimated = estimates(counts.performance)
    if estimated is None or _gap(estimated.accuracy, known) > policy.quality_level:
        return ""
    return (
        f" From its inputs alone {percent(estimated.accuracy.value)} would be expected: what belongs to the same "
        "inputs has changed (concept drift)."
    )


def _slices(counts: WindowCounts, policy: Policy) -> list[Finding]:
    """Return slices whose accuracy is below what the model's probabilities promise for them."""
    known = dict[str, tuple[Estimate, Measured]]()
    for name, part in counts.slices.items():
        estimated, accuracy = estimates(part.performance), shares(part.performance).get("accuracy")
        if estimated is not None and accuracy is not None and accuracy.trials >= LEAST_IN_SLICE:
            known[name] = (estimated.accuracy, accuracy)
    worse = rejected({name: _gap(*pair) for name, pair in known.items()}, policy.quality_level)
    return [_slice(name, *known[name], policy) for name in known if name in worse and _matters(*known[name], policy)]


def _matters(estimated: Estimate, known: Measured, policy: Policy) -> bool:
    return policy.accuracy.severity(estimated.value - known.value) is not Severity.INFO


def _slice(name: str, estimated: Estimate, known: Measured, policy: Policy) -> Finding:
    gap = estimated.value - known.value
    low, high = known.interval
    text = (
        f"In `{name}` accuracy is {percent(known.value)} ({percent(low)} to {percent(high)}) on {known.trials:,} "
        f"labelled rows; the model's own probabilities promise {percent(estimated.value)} there, {points(gap)} more."
    )
    step = "See what is special about these rows; the model is surer about them than it should be."
    numbers = {"accuracy": known.value, "estimated": estimated.value, "labelled": known.trials}
    return Finding(Kind.SLICE_ACCURACY, policy.accuracy.severity(gap), name, text, step, numbers)


def _unknown_labels(counts: WindowCounts) -> Iterator[Finding]:
    unknown, joined = counts.performance.unknown_ids, counts.performance.labelled
    if not unknown:
        return
    share = unknown / (unknown + joined)
    text = f"{unknown:,} labels are for inference ids that no captured row has ({joined:,} were joined)."
    numbers: Mapping[str, Any] = {"unknown": unknown, "joined": joined, "share": share}
    if share > MANY_UNKNOWN:
        step = "Compare an id of the labels with `inferenceId` of a capture; sampled capture explains its own share."
        yield Finding(Kind.UNKNOWN_LABELS, Severity.MODERATE, "labels", text, step, numbers)
    else:
        step = "Few enough not to matter; they are left out."
        yield Finding(Kind.UNKNOWN_LABELS, Severity.INFO, "labels", text, step, numbers)


def _drop(before: Quality, now: float, rows: int) -> float:
    errors = standard_error(before.accuracy, before.rows), standard_error(now, rows)
    return drop_p_value(before.accuracy, errors[0], now, errors[1])


def _gap(estimated: Estimate, known: Measured) -> float:
    error = standard_error(known.value, known.trials)
    return drop_p_value(estimated.value, estimated.standard_error, known.value, error)
