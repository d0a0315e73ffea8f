"""The step Checks: whether the challenger's probabilities are sound, whether it fails a part of the rows, and whether
the labels that say so look like the truth.
"""

import argparse
import json
import logging
from typing import Any

from . import tables
from .archives import read
from .bias import LIMITS, bias
from .calibration import calibration
from .comparison import Answered
from .doubts import doubts
from .job import Job, StepError
from .sessions import probabilities
from .slices import named, sliced

LOGGER = logging.getLogger(__name__)
FILE = "checks.json"


def run(job: Job, options: argparse.Namespace) -> None:
    """Run the step.

    Raises
    ------
    StepError
        If an input is not what it has to be.
    """
    rows, dataset = tables.load(job.processing_input("heldout"), "heldout")
    answered = {
        who: Answered(
            probabilities(read(job.processing_input(who)), dataset.probability, rows.values),
            rows.labels,
            dataset.threshold,
        )
        for who in ("challenger", "champion")
    }
    columns = named(options.slices, dataset)
    slices = list(sliced(columns or dataset.columns, rows, dataset))
    calibrated = {who: _calibration(each) for who, each in answered.items()}
    challenger = bias(slices, answered["challenger"], answered["champion"], judged=bool(columns))
    reasons = [_calibration_in_words(calibrated["challenger"]), *_bias_in_words(challenger)]
    checks = {
        "schema_version": 1,
        "passed": calibrated["challenger"]["passed"] and challenger["passed"],
        "reasons": reasons,
        "doubts": doubts(answered["champion"], dataset.usual_positive),
        "rows": len(rows),
        "calibration": calibrated["challenger"],
        "champion_calibration": calibrated["champion"],
        "bias": challenger,
    }
    path = job.processing_output("checks") / FILE
    path.write_text(json.dumps(checks, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    LOGGER.info("passed: %s; %s", checks["passed"], "; ".join([*reasons, *checks["doubts"]]))


def _calibration(answered: Answered) -> dict[str, Any]:
    given = answered.where(answered.probabilities == answered.probabilities)  # NaN, no answer, is unequal to itself
    if not len(given.labels):
        raise StepError("a model gives no probability for any held-out row; see that it answers what it takes")
    return calibration(given.probabilities, given.labels)


def _calibration_in_words(found: dict[str, Any]) -> str:
    return (
        f"expected calibration error {found['error']:.3f}, of which chance makes about {found['by_chance']:.3f}: "
        f"{'within' if found['passed'] else 'beyond'} the limit of {found['limit']:.3f} above chance"
    )


def _bias_in_words(found: dict[str, Any]) -> list[str]:
    if not found["judged"]:
        return ["no columns are named to be checked for differences between their slices; all are told"]
    failing = [f"{each['column']} {each['level']}" for each in found["slices"] if not each["passed"]]
    limits = (
        f"in accuracy more than {LIMITS['accuracy']:g} lower or in false-negative rate more than "
        f"{LIMITS['false_negative_rate']:g} higher"
    )
    if failing:
        return [f"worse than the champion, and surely {limits} than on all other rows: {', '.join(failing)}"]
    return [f"on no slice worse than the champion and surely {limits} than on all other rows"]
