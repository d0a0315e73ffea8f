"""Writes a baseline, and what a window violates, as Model Monitor's files."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from math import isfinite, sqrt
from typing import Protocol

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.references import NumberReference, Reference
from lambdas.monitoring.profile.tallies import RARE, CategoryTally, NumberTally

CHECKS = {
    "data_drift": "baseline_drift_check",
    "prediction_drift": "baseline_drift_check",
    "confidence_drift": "baseline_drift_check",
    "missing_values": "completeness_check",
    "not_finite": "data_type_check",
    "malformed_records": "data_type_check",
    "unseen_categories": "categorical_values_check",
}
"""Which of Model Monitor's checks a kind of finding is."""


class FindingLike(Protocol):
    """What an assessment found, as far as Model Monitor has words for it."""

    @property
    def kind(self) -> str:
        """What was found: ``data_drift`` and so on."""

    @property
    def severity(self) -> str:
        """``info`` or worse."""

    @property
    def subject(self) -> str:
        """The column it is about."""

    @property
    def text(self) -> str:
        """For a person."""


def statistics_json(baseline: Baseline) -> dict[str, object]:
    """Return statistics.json: input columns, then outputs.

    Buckets are the baseline's bins, from the least value to the greatest; there is no sketch. Not carried: which
    missing values were NaN or infinite, the names of rare levels (constraints.json has them), levels never seen in
    training, quality, calibration, confidence, sample and roles. All numbers are called ``Fractional``.
    """
    features = [
        _statistics(name, reference) for name, reference in (*baseline.columns.items(), *baseline.outputs.items())
    ]
    return {"version": 0.0, "dataset": {"item_count": baseline.rows}, "features": features}


def constraints_json(baseline: Baseline) -> dict[str, object]:
    """Return constraints.json: each column's completeness, sign or levels, and Model Monitor's default thresholds.

    An open-ended category has no domain. The monitor's own floors and tests have no counterpart there.
    """
    features = [
        _constraints(name, reference) for name, reference in (*baseline.columns.items(), *baseline.outputs.items())
    ]
    return {
        "version": 0.0,
        "features": features,
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": 0.1,
                "comparison_method": "Robust",
                "categorical_comparison_threshold": 0.1,
                "categorical_drift_method": "LInfinity",
            },
        },
    }


def violations_json(findings: Iterable[FindingLike], baseline: Baseline) -> dict[str, object]:
    """Return constraint_violations.json.

    A change of schema is a missing column where the baseline knows the subject, else an extra one. Findings of
    severity ``info``, and of kinds for which Model Monitor's data checks have no word (volume, accuracy, joint
    drift, too few rows ...), are not carried.
    """
    violations = []
    for finding in findings:
        check = CHECKS.get(finding.kind)
        if finding.kind == "schema_change":
            check = "missing_column_check" if finding.subject in baseline.columns else "extra_column_check"
        if check and finding.severity != "info":
            named = {"feature_name": finding.subject, "constraint_check_type": check, "description": finding.text}
            violations.append(named)
    return {"violations": violations}


def _statistics(name: str, reference: Reference) -> dict[str, object]:
    if isinstance(reference, NumberReference):
        return {"name": name, "inferred_type": "Fractional", "numerical_statistics": _number(reference.tally)}
    return {"name": name, "inferred_type": "String", "string_statistics": _category(reference.tally)}


def _number(tally: NumberTally) -> dict[str, object]:
    common = {"num_present": tally.finite, "num_missing": tally.missing + tally.not_finite}
    if tally.minimum is None or tally.maximum is None:
        return {"common": common}
    buckets = _buckets(tally, tally.minimum, tally.maximum)
    extremes = {"min": tally.minimum, "max": tally.maximum}
    return {"common": common} | _moments(tally) | extremes | {"distribution": {"kll": {"buckets": buckets}}}


def _moments(tally: NumberTally) -> dict[str, float]:
    """Return the moments; those too large for a float are left out."""
    if tally.mean is None or tally.m2 is None:
        return {}
    moments = {"mean": tally.mean, "sum": tally.mean * tally.finite, "std_dev": sqrt(tally.m2 / tally.finite)}
    return {name: moment for name, moment in moments.items() if isfinite(moment)}


def _buckets(tally: NumberTally, minimum: float, maximum: float) -> list[dict[str, float]]:
    edges = tally.bins.edges
    bounds = [min(minimum, *edges), *edges, max(maximum, *edges)] if edges else [minimum, maximum]
    return [
        {"lower_bound": low, "upper_bound": high, "count": count}
        for (low, high), count in zip(pairwise(bounds), tally.counts, strict=True)
    ]


def _category(tally: CategoryTally) -> dict[str, object]:
    return {
        "common": {"num_present": sum(tally.counts.values()), "num_missing": tally.missing},
        "distinct_count": len(_domain(tally)) + tally.open_ended,
        "distribution": {
            "categorical": {"buckets": [{"value": level, "count": count} for level, count in tally.counts.items()]}
        },
    }


def _domain(tally: CategoryTally) -> list[str]:
    """Return every level by name, in which the group of rare ones is no level."""
    return [level for level in tally.known if level != RARE] + list(tally.rare)


def _constraints(name: str, reference: Reference) -> dict[str, object]:
    tally = reference.tally
    present = tally.finite if isinstance(tally, NumberTally) else tally.rows - tally.missing
    common: dict[str, object] = {"name": name, "completeness": present / tally.rows if tally.rows else 0.0}
    if isinstance(tally, NumberTally):
        positive = {"is_non_negative": tally.minimum is not None and tally.minimum >= 0}
        return common | {"inferred_type": "Fractional", "num_constraints": positive}
    domain = {} if tally.open_ended else {"string_constraints": {"domains": _domain(tally)}}
    return common | {"inferred_type": "String"} | domain
