"""The step Prepare: joins captures with labels, refuses what is not fit to train on, and splits by time."""

import argparse
import json
import logging
from collections.abc import Sequence
from math import inf
from pathlib import Path

from lambdas.monitoring.capture.layout import Layout
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.errors import ProfileError

from . import findings, tables
from .doubts import usual_positive
from .findings import Finding
from .job import Job, StepError
from .joining import Joined, Row, files, join, read_labels
from .tables import Dataset
from .validation import Limits, usable, validate

LOGGER = logging.getLogger(__name__)
HELD_OUT_SHARE, LEAST_HELD_OUT = 0.25, 200
LABEL = "label"


def run(job: Job, options: argparse.Namespace) -> None:
    """Run the step.

    Raises
    ------
    StepError
        If the data are not fit to train on; the report has the findings.
    """
    baseline = _baseline(job.processing_input("baseline"))
    since, until = tables.moment(options.since, "--since"), tables.moment(options.until, "--until")
    layout = Layout.of((column.name, column.kind) for column in baseline.schema.columns)
    labels = read_labels(job.processing_input("labels"))
    joined = join(job.processing_input("captures"), labels, layout, inf if until is None else until)
    rows = usable(joined.rows)
    found = validate(joined, labels, baseline, rows, Limits())
    learn, held_out = split(rows)
    if not any(each.severity == "severe" for each in found) and not learn:
        text = f"all {len(rows)} rows are of one moment, so none is older than the held-out ones; widen the time span"
        found.append(Finding(findings.TOO_FEW_ROWS, "severe", "rows", text))
    _report(job.processing_output("report"), options.endpoint, joined, found, learn, held_out)
    if any(each.severity == "severe" for each in found):
        raise StepError(findings.message(found))
    dataset = _dataset(baseline, since)
    tables.write(job.processing_output("train"), "train", learn, dataset)
    tables.write(job.processing_output("heldout"), "heldout", held_out, dataset)
    LOGGER.info("%d rows to learn from, %d held out", len(learn), len(held_out))


def split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the older rows, and the newest to be held out: a quarter, and at least 200; one moment is not split."""
    first = len(rows) - max(LEAST_HELD_OUT, round(len(rows) * HELD_OUT_SHARE))
    if first < 0:
        return [], list(rows)
    while first > 0 and rows[first - 1].at == rows[first].at:
        first -= 1
    return list(rows[:first]), list(rows[first:])


def _baseline(folder: Path) -> Baseline:
    found = files(folder)
    if len(found) != 1:
        raise StepError(f"the input baseline holds {len(found)} files; it must be one baseline.json")
    try:
        baseline = Baseline.of_text(found[0].read_bytes(), "baseline")
    except ProfileError as error:
        raise StepError(str(error)) from error
    if baseline.output_roles.probability is None:
        raise StepError(
            "the baseline does not say which output is a probability; this pipeline retrains models of two classes, "
            "and needs output_roles.probability"
        )
    texts = [column.name for column in baseline.schema.columns if not column.is_number]
    if texts:
        raise StepError(
            f"column {texts[0]} holds categories; this training fits numbers: use a training image of your own"
        )
    return baseline


def _dataset(baseline: Baseline, since: float | None) -> Dataset:
    roles = baseline.output_roles
    named = roles.prediction if roles.prediction and roles.prediction not in baseline.columns else LABEL
    return Dataset(
        tuple(baseline.columns),
        named,
        str(roles.probability),
        roles.prediction,
        roles.threshold,
        since,
        usual_positive(baseline),
    )


def _report(
    folder: Path, endpoint: str, joined: Joined, found: Sequence[Finding], learn: Sequence[Row], held_out: Sequence[Row]
) -> None:
    report = {
        "schema_version": 1,
        "endpoint": endpoint,
        "fit": not any(each.severity == "severe" for each in found),
        "findings": [each.to_json() for each in found],
        "requests": joined.requests,
        "unlabelled": joined.unlabelled,
        "repeated": joined.repeated,
        "outside": joined.outside,
        "malformed": dict(joined.malformed),
        "labels": joined.labels,
        "unknown_labels": joined.unknown_labels,
        "train": _span(learn),
        "heldout": _span(held_out),
    }
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _span(rows: Sequence[Row]) -> dict[str, object]:
    if not rows:
        return {"rows": 0}
    positive = sum(row.label == "1" for row in rows)
    return {
        "rows": len(rows),
        "first": tables.written(rows[0].at),
        "last": tables.written(rows[-1].at),
        "share_positive": round(positive / len(rows), 4),
    }
