"""Drift that no single column shows: of the columns that have not moved by themselves."""

from collections.abc import Mapping

from lambdas.monitoring.assessment.features import FeatureDrift
from lambdas.monitoring.assessment.finding import Finding, Kind, Severity
from lambdas.monitoring.assessment.policy import Policy
from lambdas.monitoring.assessment.wording import chance, percent
from lambdas.monitoring.domain_classifier import separation
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.window import WindowCounts

SUBJECT = "columns together"


def findings(
    baseline: Baseline, counts: WindowCounts, drifts: Mapping[str, FeatureDrift], policy: Policy
) -> list[Finding]:
    """Return a finding if rows can be told from the baseline's by columns that each kept their distribution."""
    still = [place for place, name in enumerate(baseline.columns) if name in drifts and not drifts[name].drifted]
    rows = counts.sample.rows
    if len(still) < 2 or any(len(row) != len(baseline.columns) for row in rows):
        return []
    names = [name for place, name in enumerate(baseline.columns) if place in still]
    old, new = ([[row[place] for place in still] for row in sample] for sample in (baseline.sample, rows))
    found = separation(names, old, new)
    if found is None or found.p_value > policy.quality_level or found.auc < policy.least_auc:
        return []
    telling = f" What gives it away: {', '.join(f'`{name}`' for name in found.telling)}." if found.telling else ""
    text = (
        f"Rows of this window can be told from training rows in {percent(found.auc)} of pairs (50 % is chance; by "
        f"chance {chance(found.p_value)}), though none of the {len(names)} columns used has moved by itself: "
        f"columns go together in another way than in training.{telling}"
    )
    step = "Plot the columns named against each other; look for values that are joined to the wrong rows."
    numbers = {"auc": found.auc, "p_value": found.p_value, "telling": list(found.telling), "rows": list(found.rows)}
    return [Finding(Kind.JOINT_DRIFT, Severity.MODERATE, SUBJECT, text, step, numbers)]
