"""Head, figures and findings of the page."""

from collections.abc import Iterator
from html import escape

from lambdas.monitoring.assessment.assessment import Assessment
from lambdas.monitoring.assessment.finding import Finding, Kind, Severity
from lambdas.monitoring.assessment.wording import at, index, percent
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.report.markup import pill, rich
from lambdas.monitoring.report.wording import BADGES, NAMES, verdict

# Found about one distribution: told beside its picture instead, unless it is only good to know.
_DRAWN = (Kind.DATA_DRIFT, Kind.PREDICTION_DRIFT, Kind.CONFIDENCE_DRIFT)


def header(assessment: Assessment) -> str:
    """Return title, verdict and badge."""
    against = (
        f"against the baseline of version {assessment.model_version}" if assessment.model_version else "no baseline"
    )
    lead = f"{at(assessment.start)} to {at(assessment.end)}, {assessment.rows:,} rows, {against}."
    severity = str(assessment.severity)
    return (
        f'<header class="{severity}"><div><h1>{escape(assessment.endpoint)}: has live traffic drifted?</h1>'
        f'<p class="lead">{escape(lead)}</p></div>'
        f'<div class="badge {severity}">{escape(BADGES.get(assessment.severity, severity))}</div></header>'
        f'<p class="verdict {severity}">{rich(verdict(assessment))}</p>'
    )


def figures(assessment: Assessment, counts: WindowCounts) -> str:
    """Return the window in a few numbers."""
    cards = "".join(
        f'<div class="card"><div class="figure">{escape(value)}</div><div class="what">{escape(what)}</div></div>'
        for value, what in _figures(assessment, counts)
    )
    return f'<div class="cards">{cards}</div>'


def _figures(assessment: Assessment, counts: WindowCounts) -> Iterator[tuple[str, str]]:
    yield f"{assessment.rows:,}", f"rows in {counts.requests:,} requests"
    if assessment.features:
        yield f"{len(assessment.drifted)} of {len(assessment.features)}", "features drifted"
        worst = max(assessment.features.values(), key=lambda drift: drift.psi)
        yield index(worst.psi), f"largest PSI over chance: {worst.name}"
    estimated, measured = assessment.performance.get("estimated", {}), assessment.performance.get("measured", {})
    if "accuracy" in estimated:
        yield percent(estimated["accuracy"]["value"]), "estimated accuracy, before labels"
    if "accuracy" in measured:
        yield percent(measured["accuracy"]["value"]), f"accuracy on {measured['accuracy']['trials']:,} labelled rows"
    if counts.malformed.total:
        yield f"{counts.malformed.total:,}", "lines or rows not readable"


def findings(assessment: Assessment) -> str:
    """Return what was found, each with a way out; what is only good to know is folded away."""
    weighty = [one for one in assessment.findings if one.severity is not Severity.INFO and one.kind not in _DRAWN]
    light = [one for one in assessment.findings if one.severity is Severity.INFO]
    if not assessment.findings:
        return "<h2>Findings</h2><p>None.</p>"
    if not weighty and not light:
        return ""
    said = "".join(_finding(one) for one in weighty) or "<p>None that needs anything to be done.</p>"
    folded = "".join(_finding(one) for one in light)
    more = f"<details><summary>Good to know ({len(light)})</summary>{folded}</details>" if light else ""
    title = "Other findings" if len(weighty) + len(light) < len(assessment.findings) else "Findings"
    return f"<h2>{title}</h2>{said}{more}"


def _finding(one: Finding) -> str:
    label = str(one.makes) if one.makes is not Severity.NONE else str(one.severity)
    step = f'<p class="next"><b>Next:</b> {rich(one.next_step)}</p>' if one.next_step else ""
    return (
        f'<article class="card finding {escape(label)}"><div class="head">{pill(label)}<h3>{escape(one.subject)}</h3>'
        f'<span class="kind">{escape(NAMES[one.kind])} · <code>{escape(str(one.kind))}</code></span></div>'
        f"<p>{rich(one.text)}</p>{step}</article>"
    )
