"""Whether joined rows are fit to train on: their schema, what is missing or broken in them, and their labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite

from lambdas.monitoring.capture import reasons
from lambdas.monitoring.capture.labels import CONFLICTING, Labels
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.window_parts import Refusals

from . import findings
from .findings import Finding
from .joining import Joined, Row


@dataclass(frozen=True)
class Limits:
    """From where on data are not fit to train on. Shares are 0..1.

    Parameters
    ----------
    malformed
        Greatest share of captured requests, and of lines of labels, that cannot be read.
    not_finite
        Greatest share of a column's values that are NaN or infinite.
    missing
        By how much the share of a column's values that are missing may be above the baseline's.
    rows
        Fewest rows that can be used.
    of_each_label
        Fewest rows of each of the two labels.
    """

    malformed: float = 0.01
    not_finite: float = 0.01
    missing: float = 0.2
    rows: int = 500
    of_each_label: int = 25


LABELS = {"0": "0", "1": "1", "0.0": "0", "1.0": "1", "false": "0", "true": "1"}
"""Labels that are understood, in small letters, and how they are written."""


def usable(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that can be learnt from, in order of time: all values finite numbers, and a label."""
    kept = [
        Row(row.cells, LABELS[row.label.lower()], row.at, row.inference_id)
        for row in rows
        if row.label.lower() in LABELS and all(_usable(cell) for cell in row.cells)
    ]
    return sorted(kept, key=lambda row: (row.at, row.inference_id))


def validate(joined: Joined, labels: Labels, baseline: Baseline, rows: Sequence[Row], limits: Limits) -> list[Finding]:
    """Return what is found, severe and not; `rows` are the usable ones."""
    found = [*_captures(joined, limits), *_columns(joined, baseline, limits), *_labels(joined, labels, limits)]
    return [*found, *_amount(joined, rows, limits)]


def _usable(cell: object) -> bool:
    return isinstance(cell, float) and isfinite(cell)


def _captures(joined: Joined, limits: Limits) -> Iterator[Finding]:
    broken = joined.malformed.total
    if not joined.requests and not broken:
        yield Finding(
            findings.EMPTY,
            "severe",
            "captures",
            "no captured request is in the files; see that the endpoint captures its traffic, and that the run's time "
            "span covers some",
        )
        return
    share = broken / (joined.requests + broken)
    widths = joined.malformed.get(reasons.WRONG_WIDTH, 0) / (joined.requests + broken)
    if widths > limits.malformed:
        where = _example(joined.malformed, reasons.WRONG_WIDTH)
        yield Finding(
            findings.SCHEMA_CHANGE,
            "severe",
            "captures",
            f"{widths:.1%} of the requests do not have the baseline's columns ({where}); retrain for the new columns "
            "by hand, as a model with a new signature",
            {"share": widths},
        )
    if broken and share > limits.malformed:
        common = max(joined.malformed, key=lambda reason: joined.malformed[reason])
        yield Finding(
            findings.MALFORMED,
            "severe",
            "captures",
            f"{share:.1%} of the captured lines cannot be used, most of them as {common} ("
            f"{_example(joined.malformed, common)}); mend or remove these files and start again",
            {"share": share} | {f"reason.{reason}": times for reason, times in joined.malformed.items()},
        )
    elif broken:
        text = f"{broken} captured lines cannot be used and are left out: {dict(joined.malformed)}"
        yield Finding(findings.MALFORMED, "info", "captures", text, {"share": share})


def _example(refused: Refusals, reason: str) -> str:
    first = refused.examples(reason)[0]
    return f"{first.file} line {first.line}: {first.why}"


def _columns(joined: Joined, baseline: Baseline, limits: Limits) -> Iterator[Finding]:
    for name, times in joined.unknown_columns.most_common():
        text = f"{times} requests have a column {name!r} that the model does not; it is left out"
        yield Finding(findings.SCHEMA_CHANGE, "info", name, text, {"requests": times})
    for place, name in enumerate(baseline.columns):
        cells = [row.cells[place] for row in joined.rows]
        if cells:
            yield from _column(name, cells, baseline, limits)


def _column(name: str, cells: Sequence[object], baseline: Baseline, limits: Limits) -> Iterator[Finding]:
    tally = baseline.columns[name].tally
    usual = tally.missing / tally.rows if tally.rows else 0.0
    missing = sum(cell is None for cell in cells) / len(cells)
    if missing > usual + limits.missing:
        what = "all values are" if missing == 1.0 else f"{missing:.1%} of the values are"
        text = f"{what} missing in column {name} (usually {usual:.1%}); mend its source, or retrain without it by hand"
        yield Finding(findings.MISSING, "severe", name, text, {"share": missing, "usual": usual})
    broken = sum(isinstance(cell, float) and not isfinite(cell) for cell in cells) / len(cells)
    if broken > limits.not_finite:
        text = f"{broken:.1%} of column {name} are NaN or infinite; mend whatever computes it, and start again"
        yield Finding(findings.NOT_FINITE, "severe", name, text, {"share": broken})


def _labels(joined: Joined, labels: Labels, limits: Limits) -> Iterator[Finding]:
    conflicting = labels.refused.get(CONFLICTING, 0)
    broken = labels.refused.total - conflicting
    if broken > limits.malformed * (joined.labels + broken):
        reason = next(each for each in labels.refused if each != CONFLICTING)
        text = (
            f"{broken} lines of labels cannot be read ({_example(labels.refused, reason)}); mend or remove these "
            "files and start again"
        )
        yield Finding(findings.MALFORMED_LABELS, "severe", "labels", text, {"lines": broken})
    if conflicting:
        text = f"{conflicting} labels contradict an earlier one of the same request; the last counts"
        yield Finding(findings.MALFORMED_LABELS, "info", "labels", text, {"lines": conflicting})
    strange = sorted({row.label for row in joined.rows if row.label.lower() not in LABELS})
    if strange:
        text = (
            f"labels must be 0 or 1; there are {', '.join(map(repr, strange[:3]))}; put right labels for these requests"
        )
        yield Finding(findings.LABEL_VALUES, "severe", "labels", text, {"values": len(strange)})
    if joined.unknown_labels:
        few = len(joined.rows) < limits.rows
        text = f"{joined.unknown_labels} of {joined.labels} labels are for requests that no capture is of" + (
            "; see that labels carry the inference id of the request, and that its hour is captured" if few else ""
        )
        numbers = {"labels": joined.unknown_labels, "share": joined.unknown_labels / joined.labels}
        yield Finding(findings.UNKNOWN_LABELS, "severe" if few else "info", "labels", text, numbers)


def _amount(joined: Joined, rows: Sequence[Row], limits: Limits) -> Iterator[Finding]:
    if len(rows) < limits.rows:
        text = (
            f"{len(rows)} rows have a label and no missing value; at least {limits.rows} are needed "
            f"({joined.requests} requests were captured, {joined.unlabelled} of them have no label yet); wait for "
            "labels or widen the time span"
        )
        yield Finding(findings.TOO_FEW_ROWS, "severe", "rows", text, {"rows": len(rows), "least": limits.rows})
        return
    fewest = min(sum(row.label == label for row in rows) for label in ("0", "1"))
    if fewest < limits.of_each_label:
        text = (
            f"of the rarer label there are {fewest} rows; at least {limits.of_each_label} are needed; widen the time "
            "span, or check how labels are made"
        )
        yield Finding(findings.LABEL_VALUES, "severe", "labels", text, {"rows": fewest})
