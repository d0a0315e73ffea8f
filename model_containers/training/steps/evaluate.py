"""The step Evaluate: champion and challenger on the held-out rows, which neither has seen."""

import argparse
import hashlib
import json
import logging
from typing import Any

from . import signatures, tables
from .archives import read
from .comparison import Answered, brier_difference, paired, verdict
from .job import Job, StepError
from .sessions import probabilities
from .signatures import Signature
from .slices import Slice, named, sliced
from .tables import Rows

LOGGER = logging.getLogger(__name__)
FILE = "evaluation.json"


def run(job: Job, options: argparse.Namespace) -> None:
    """Run the step.

    Raises
    ------
    StepError
        If an input is not what it has to be.
    """
    least_gain = _least_gain(options.least_gain)
    rows, dataset = tables.load(job.processing_input("heldout"), "heldout")
    models = {who: read(job.processing_input(who)) for who in ("champion", "challenger")}
    champion, challenger = (
        Answered(probabilities(model, dataset.probability, rows.values), rows.labels, dataset.threshold)
        for model in (models["champion"], models["challenger"])
    )
    columns = named(options.slices, dataset) or list(dataset.columns)
    evaluation = {
        "schema_version": 1,
        "endpoint": options.endpoint,
        "run_id": options.run_id,
        "champion_version": options.champion_version,
        **_compared(champion, challenger, least_gain),
        **_signatures(models["champion"].signature, models["challenger"].signature),
        "heldout": _heldout(rows),
        "slices": [_slice(each, champion, challenger) for each in sliced(columns, rows, dataset)],
        "models": {who: hashlib.sha256(model.onnx).hexdigest() for who, model in models.items()},
        # What is registered and signed must be this very challenger: the last step compares.
        "archives": {who: model.archive_sha256 for who, model in models.items()},
    }
    path = job.processing_output("evaluation") / FILE
    path.write_text(json.dumps(evaluation, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    LOGGER.info("better: %s; %s", evaluation["better"], "; ".join(evaluation["reasons"]))


def _compared(champion: Answered, challenger: Answered, least_gain: float) -> dict[str, Any]:
    """Return whether the challenger is better, and by what."""
    before, after = champion.metrics(), challenger.metrics()
    test, brier = paired(champion, challenger), brier_difference(champion, challenger)
    better, reasons = verdict(before, after, test, brier, least_gain)
    return {
        "better": better,
        "reasons": reasons,
        "least_gain": least_gain,
        "gain": after["accuracy"] - before["accuracy"],
        "champion": before,
        "challenger": after,
        "mcnemar": test,
        "brier_difference": brier,
    }


def _signatures(champion: Signature, challenger: Signature) -> dict[str, Any]:
    """Return in what the two models' signatures differ."""
    changes, widened = signatures.differences(champion, challenger), signatures.widenings(champion, challenger)
    return {"signature_change": bool(changes), "signature": {"differences": changes, "widened": widened}}


def _least_gain(text: str) -> float:
    try:
        gain = float(text)
    except ValueError:
        gain = -1.0
    if not 0 <= gain <= 1:
        raise StepError(f"--least-gain is {text!r}; needed is a share from 0 to 1, such as 0.01 for one percent")
    return gain


def _heldout(rows: Rows) -> dict[str, Any]:
    return {
        "rows": len(rows),
        "first": tables.written(float(rows.at[0])),
        "last": tables.written(float(rows.at[-1])),
        "share_positive": float(rows.labels.mean()),
    }


def _slice(part: Slice, champion: Answered, challenger: Answered) -> dict[str, Any]:
    old, new = champion.where(part.chosen), challenger.where(part.chosen)
    before, after = old.metrics(), new.metrics()
    return {
        "column": part.column,
        "level": part.level,
        "rows": int(part.chosen.sum()),
        "champion": before,
        "challenger": after,
        "gain": after["accuracy"] - before["accuracy"],
        "p_value": paired(old, new)["p_value"],
    }
