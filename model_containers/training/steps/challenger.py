"""The step Train: fits candidates, chooses one by forward validation, and writes it as a model that can be served."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version as library_version
from typing import Any

import numpy as np
import onnx

from lambdas.monitoring.profile.quality import OutputRoles
from model_containers.training import graph, reference

from . import signatures, tables
from .archives import MODEL, SIGNATURE, Packed, read
from .candidates import Candidate, exported, learnable, probabilities
from .checkpoints import Checkpoints
from .choosing import Choice, choose, shown
from .job import Job, StepError
from .sessions import probabilities as onnx_probabilities
from .tables import Dataset, Rows

CARD, BASELINE = "model_card.json", "baseline.json"
LIBRARIES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "skl2onnx")
EXPORT_TOLERANCE = 1e-3
"""Greatest mean difference between the probabilities of the exported and of the fitted model. A tree may put a value at
a split on the other side in 32 bits, which moves single rows."""


def run(job: Job) -> None:
    """Run the step.

    Raises
    ------
    StepError
        If there is nothing to learn from, or the champion cannot be followed.
    """
    rows, dataset = tables.load(job.channel("train"), "train")
    champion, asked = read(job.channel("champion")), job.hyperparameters()
    _check(champion, dataset)
    checkpoints = Checkpoints(job.checkpoints, _digest(rows, dataset, champion))
    choice = choose(rows, dataset.since, checkpoints)
    learnt = choice.candidate.chosen(rows, dataset.since)
    if not learnable(learnt):
        raise StepError(f"{len(learnt)} rows are too few to fit {choice.candidate.name}; widen the time span")
    version = f"challenger-{asked.get('run_id') or 'unnamed'}"
    signature = signatures.widened(champion.signature, learnt.values)
    # The sample warms the server up, so it has to be a row that the model was made for.
    signature["sample"] = learnt.values[-1:].tolist()
    model = _exported(choice.candidate, learnt, champion, dataset, version)
    created_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    card = _card(asked, dataset, choice, learnt, signatures.widenings(champion.signature, signature), created_at)
    baseline = reference.baseline(
        dataset.columns,
        learnt.values,
        reference.Measured(choice.answers, choice.validated.labels),
        OutputRoles(dataset.probability, dataset.prediction, dataset.threshold),
        version,
        created_at,
    )
    (job.model / MODEL).write_bytes(model.SerializeToString(deterministic=True))
    for name, content in ((SIGNATURE, signature), (CARD, card)):
        (job.model / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    (job.model / BASELINE).write_text(baseline.text() + "\n", encoding="utf-8")


def _check(champion: Packed, dataset: Dataset) -> None:
    if champion.columns != list(dataset.columns):
        raise StepError(
            f"the champion takes the columns {champion.columns}, but its baseline has {list(dataset.columns)}; "
            "register the champion with the baseline of its own training"
        )
    outputs = {each["name"] for each in champion.signature["outputs"]}
    made = {dataset.probability, dataset.prediction} - {None}
    if outputs != made:
        raise StepError(
            f"the champion answers with {sorted(outputs)}; a challenger can only give {sorted(map(str, made))}, the "
            "outputs with a role in the baseline: use a training image of your own"
        )


def _digest(rows: Rows, dataset: Dataset, champion: Packed) -> str:
    digest = hashlib.sha256(repr(dataset).encode())
    for part in (rows.values, rows.labels, rows.at):
        digest.update(np.ascontiguousarray(part).tobytes())
    digest.update(json.dumps(champion.signature, sort_keys=True).encode())
    return digest.hexdigest()


def _exported(candidate: Candidate, learnt: Rows, champion: Packed, dataset: Dataset, version: str) -> onnx.ModelProto:
    fitted = candidate.fitted(learnt)
    names = graph.Names(
        str(champion.signature["tensor"]),
        champion.tensor_of(dataset.probability),
        None if dataset.prediction is None else champion.tensor_of(dataset.prediction),
        len(dataset.columns),
        dataset.threshold,
    )
    model = exported(fitted, names, candidate.algorithm, version)
    packed = Packed(model.SerializeToString(deterministic=True), champion.signature)
    answers = onnx_probabilities(packed, dataset.probability, learnt.values)
    difference = float(np.abs(answers - probabilities(fitted, learnt.values)).mean())
    if not difference <= EXPORT_TOLERANCE:  # NaN is no agreement either
        raise StepError(
            f"the exported model's probabilities differ from the fitted one's by {difference:.4f} on average; pin "
            "skl2onnx and onnxruntime to versions that agree"
        )
    return model


def _card(
    asked: Mapping[str, str],
    dataset: Dataset,
    choice: Choice,
    learnt: Rows,
    widened: signatures.Widened,
    created_at: str,
) -> dict[str, Any]:
    return {
        "model": asked.get("endpoint", ""),
        "version": "assigned when it is registered",
        "created_at": created_at,
        "algorithm": choice.candidate.algorithm,
        "retraining": {name: asked.get(name, "") for name in ("run_id", "reason", "champion_version", "commit")},
        "input": list(dataset.columns),
        "label": dataset.label,
        "trained_on": {
            "which": choice.candidate.learns_from,
            "rows": len(learnt),
            "first": tables.written(float(learnt.at[0])),
            "last": tables.written(float(learnt.at[-1])),
            "share_positive": round(float(learnt.labels.mean()), 4),
            "brier_of_candidates": shown(choice.scores),
        },
        "measured_on": {
            "which": "rows later than those that the answer was learnt from; evaluation.json has the held-out ones",
            "rows": len(choice.validated),
            "metrics": _metrics(choice, dataset.threshold),
        },
        "signature_widened": widened,
        "libraries": {name: library_version(name) for name in LIBRARIES},
    }


def _metrics(choice: Choice, threshold: float) -> dict[str, float]:
    labels = choice.validated.labels
    return {
        "accuracy": round(float(((choice.answers >= threshold) == labels).mean()), 4),
        "brier": round(float(((choice.answers - labels) ** 2).mean()), 4),
    }
