"""The model's quality: when it was made, as estimated, and as measured, with intervals."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from lambdas.monitoring.assessment.assessment import Assessment
from lambdas.monitoring.assessment.finding import Kind, Severity
from lambdas.monitoring.assessment.summary import Summary
from lambdas.monitoring.assessment.wording import at, number, percent
from lambdas.monitoring.report.charts import intervals
from lambdas.monitoring.report.markup import pill, table
from lambdas.monitoring.statistics.normal import wilson

_MOST_WINDOWS = 12
_WHAT = (("estimated", "estimated"), ("measured", "from labels"))


def section(assessment: Assessment, history: Sequence[Summary]) -> str:
    """Return the quality of this window, and of those before it; empty where nothing is known of it."""
    rows = _rows(assessment)
    if not rows:
        return ""
    reference = assessment.performance.get("reference")
    chart = intervals(rows, reference["accuracy"] if reference else None)
    return f'<h2>How well the model does</h2><div class="card">{chart}</div>{_note(assessment)}{_history(history)}'


def _rows(assessment: Assessment) -> list[tuple[str, float, float, float, str]]:
    rows, performance = list[tuple[str, float, float, float, str]](), assessment.performance
    reference = performance.get("reference")
    if reference:
        low, high = wilson(reference["accuracy"] * reference["rows"], reference["rows"])
        rows.append(("accuracy at training", reference["accuracy"], low, high, "info"))
    tones = {one.kind: str(one.severity) for one in assessment.findings}
    of_kind = {"estimated": Kind.ESTIMATED_ACCURACY, "measured": Kind.ACCURACY}
    for name in ("accuracy", "precision", "recall", "f1"):
        for which, words in _WHAT:
            one: Mapping[str, Any] | None = performance.get(which, {}).get(name)
            if one is not None:
                tone = tones.get(of_kind[which], "none") if name == "accuracy" else "info"
                shown = "F1" if name == "f1" else name
                rows.append((f"{shown}, {words}", one["value"], one["low"], one["high"], tone))
    return rows


def _note(assessment: Assessment) -> str:
    performance = assessment.performance
    brier = f" Brier score {number(round(performance['brier'], 4))}." if performance.get("brier") is not None else ""
    text = (
        f"{performance['labelled']:,} of {performance['rows']:,} rows have a label.{brier} Estimates come from the "
        "model's calibrated probabilities (CBPE) and hold as long as the same inputs mean the same answers. "
        "Intervals of 95 %; the dashed line is the accuracy when the model was made."
    )
    return f'<p class="what">{escape(text)}</p>'


def _history(history: Sequence[Summary]) -> str:
    known = [one for one in history if one.accuracy is not None or one.estimated_accuracy is not None]
    if not known:
        return ""
    newest = sorted(known, key=lambda one: one.start, reverse=True)[:_MOST_WINDOWS]
    rows = (
        (escape(at(one.start)), f"{one.rows:,}", _share(one.estimated_accuracy), _share(one.accuracy), _severity(one))
        for one in newest
    )
    inner = table(("window", "rows", "estimated accuracy", "accuracy", "severity"), rows)
    return f"<details><summary>Earlier windows ({len(newest)})</summary>{inner}</details>"


def _share(value: float | None) -> str:
    return "–" if value is None else escape(percent(value))


def _severity(one: Summary) -> str:
    return pill(str(one.severity), "quiet" if one.severity is Severity.NONE else "")
