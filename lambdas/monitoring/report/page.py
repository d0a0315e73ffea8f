"""The page as a whole."""

from collections.abc import Sequence
from html import escape

from lambdas.monitoring.assessment.assessment import Assessment
from lambdas.monitoring.assessment.finding import Severity
from lambdas.monitoring.assessment.policy import Policy
from lambdas.monitoring.assessment.summary import Summary
from lambdas.monitoring.assessment.wording import number
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.report import quality
from lambdas.monitoring.report.drifts import Drifts
from lambdas.monitoring.report.sections import figures, findings, header
from lambdas.monitoring.report.style import STYLE


def page(
    assessment: Assessment,
    baseline: Baseline | None,
    counts: WindowCounts,
    history: Sequence[Summary] = (),
    policy: Policy | None = None,
) -> str:
    """Return the report of a window as HTML that loads nothing from anywhere.

    Parameters
    ----------
    assessment, baseline, counts
        What was concluded, from what, and against what.
    history
        Earlier windows, in any order.
    policy
        By which it was judged; None: the defaults.
    """
    policy = policy or Policy()
    drifts = Drifts(assessment, baseline, counts, history, policy) if baseline is not None else None
    pictures, found = drifts.section() if drifts else "", findings(assessment)
    judged = assessment.severity not in (Severity.SUSPECT, Severity.UNDECIDED)
    sections = (
        header(assessment),
        figures(assessment, counts),
        *((pictures, found) if judged else (found, pictures)),
        quality.section(assessment, [one for one in history if one.start < assessment.start]),
        drifts.tables() if drifts else "",
        _footer(assessment, policy),
    )
    title = escape(f"{assessment.endpoint} {assessment.window}: {assessment.severity}")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f'<meta name="color-scheme" content="light dark"/><title>{title}</title><style>{STYLE}</style></head>\n'
        f"<body><main>{''.join(sections)}</main></body></html>\n"
    )


def _footer(assessment: Assessment, policy: Policy) -> str:
    needed = [
        f"{rows:,} rows for a {name} one" if rows is not None else f"a larger baseline for a {name} one"
        for name, rows in assessment.rows_needed.items()
    ]
    least = f" To find a drift in {policy.power:.0%} of cases it takes {' and '.join(needed)}." if needed else ""
    text = (
        "Drift is an alarm if chance does not explain it (Benjamini-Hochberg over everything compared, "
        f"{policy.level:.0%}) and its PSI, less what chance gives on average, is {number(policy.drift.moderate)} or "
        f"more; it is severe from {number(policy.drift.severe)}.{least} PSI is of ten groups of equal training share; "
        "KS (Kolmogorov-Smirnov), JS (Jensen-Shannon distance) and L∞ (Deequ's robust L-infinity) are of the finest "
        "bins. “By chance” is how often stable traffic would look like this. "
        f"Baseline {assessment.baseline_id or 'none'}."
    )
    return f"<footer><p>{escape(text)}</p></footer>"
