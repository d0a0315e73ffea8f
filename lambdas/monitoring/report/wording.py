"""A window's verdict in a sentence, and its findings by name."""

from lambdas.monitoring.assessment.assessment import Assessment
from lambdas.monitoring.assessment.finding import Kind, Severity
from lambdas.monitoring.assessment.wording import listed

NAMES = {
    Kind.DATA_DRIFT: "Data drift",
    Kind.PREDICTION_DRIFT: "Prediction drift",
    Kind.CONFIDENCE_DRIFT: "Confidence drift",
    Kind.JOINT_DRIFT: "Joint drift",
    Kind.MISSING_VALUES: "Missing values",
    Kind.NOT_FINITE: "NaN or infinite",
    Kind.UNSEEN_CATEGORIES: "Unseen categories",
    Kind.SCHEMA_CHANGE: "Schema change",
    Kind.MALFORMED_RECORDS: "Malformed records",
    Kind.EMPTY_WINDOW: "Empty window",
    Kind.VOLUME: "Volume",
    Kind.TOO_FEW_ROWS: "Too few rows",
    Kind.ESTIMATED_ACCURACY: "Estimated accuracy",
    Kind.ACCURACY: "Accuracy",
    Kind.SLICE_ACCURACY: "Accuracy of a slice",
    Kind.UNKNOWN_LABELS: "Unknown labels",
    Kind.STALE_BASELINE: "Stale baseline",
    Kind.NO_BASELINE: "No baseline",
    Kind.LATE_RECORDS: "Late records",
    Kind.VERSION_CHANGED: "Version",
}

BADGES = {
    Severity.NONE: "all quiet",
    Severity.MODERATE: "moderate",
    Severity.SEVERE: "severe",
    Severity.SUSPECT: "suspect data",
    Severity.UNDECIDED: "undecided",
}


def verdict(assessment: Assessment) -> str:
    """Return what is the matter, in a sentence or two; names in backticks."""
    if assessment.severity is Severity.SUSPECT:
        reasons = _reasons(assessment, Severity.SUSPECT)
        broken = f"The data of this window look broken rather than drifted ({reasons})."
        return f"{broken} It does not count towards retraining."
    if assessment.severity is Severity.UNDECIDED:
        return f"Nothing is concluded from this window ({_reasons(assessment, Severity.UNDECIDED)})."
    if not assessment.drifted:
        others = [one for one in assessment.findings if one.severity in (Severity.MODERATE, Severity.SEVERE)]
        quiet = f"None of {len(assessment.features):,} features has moved."
        return f"{quiet} {NAMES[others[0].kind]}: see below." if others else f"{quiet} Nothing needs to be done."
    moved = f"{len(assessment.drifted):,} of {len(assessment.features):,} features moved"
    if assessment.severe:
        return f"{moved}, {len(assessment.severe):,} of them severely: {listed(list(assessment.severe))}."
    return f"{moved}, none of them severely: {listed(list(assessment.drifted))}."


def _reasons(assessment: Assessment, makes: Severity) -> str:
    said = [f"{NAMES[one.kind].lower()}: `{one.subject}`" for one in assessment.findings if one.makes is makes]
    return "; ".join(said[:3]) + (f"; and {len(said) - 3} more" if len(said) > 3 else "")
