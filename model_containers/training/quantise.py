"""Makes an INT8 version of a model, and refuses it where it answers worse than its float original.

The model gets QuantizeLinear and DequantizeLinear before its matrix products, symmetric and signed as TensorRT wants
them. The scales come from days that the version was trained on; what they cost is measured on days that no version has
seen.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from . import artefact, graph
from .dataset import HELD_OUT, Days
from .evaluation import Metrics, measure, probabilities
from .quantise_columns import with_one_scale
from .versions import Trained

REPORT = "quantisation.json"
SUFFIX = "-int8"
TOLERANCE = 0.005
LARGEST_DIFFERENCE = 0.1

QUANTISED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
"""Where the time goes. Their outputs stay in float: the last of them is the answer."""

_LOOPS = ("Loop", "Scan", "If")
_BETTER_WHEN_LARGER = ("accuracy", "auc")


class NotQuantisableError(Exception):
    """A model in which there is nothing to gain from INT8."""


class ToleranceError(Exception):
    """The INT8 model answers too differently from the float one.

    Parameters
    ----------
    reasons
        One for each limit that is passed, with the numbers.
    report
        All that was measured.
    """

    def __init__(self, reasons: list[str], report: dict[str, Any]) -> None:
        super().__init__("; ".join(reasons))
        self.report = report


@dataclass(frozen=True)
class Limits:
    """What INT8 may cost.

    Parameters
    ----------
    tolerance
        By how much accuracy and AUC may fall, and the Brier score rise.
    largest_difference
        By how much the probability of any one day may change.
    """

    tolerance: float = TOLERANCE
    largest_difference: float = LARGEST_DIFFERENCE


def quantise(trained: Trained, days: Days, limits: Limits) -> dict[str, bytes]:
    """Return the files of the INT8 version: the archive, its card and the report.

    Parameters
    ----------
    trained
        The float version.
    days
        The whole data set.
    limits
        What it may cost.

    Raises
    ------
    NotQuantisableError
        Naming what the model is made of.
    ToleranceError
        If it costs more than `limits` allow.
    """
    check_quantisable(trained.model)
    measured = days.measured()
    learnt = measured.between(_rows(trained.card["trained_on"]))
    if set(learnt.rows.tolist()).intersection(HELD_OUT):
        raise ValueError(f"the version was trained on days of {HELD_OUT}, which are to measure it")
    model = to_int8(trained.model, learnt.measurements.astype(np.float32))
    report = compare(trained.model, model, measured.between(HELD_OUT), limits)
    report = {"version": trained.card["version"], "calibrated_on": _span(learnt), **report}
    reasons = _passed(report, limits)
    if reasons:
        raise ToleranceError(reasons, report)
    content = artefact.files(Trained(model, _card(trained.card, report), trained.baseline), days)
    return {
        artefact.ARCHIVE: artefact.archive(content | {REPORT: artefact.as_json(report)}),
        artefact.CARD: content[artefact.CARD],
        REPORT: artefact.as_json(report),
    }


def check_quantisable(model: onnx.ModelProto) -> None:
    """Check that a model has something to quantise; raises NotQuantisableError."""
    found = sorted({node.op_type for node in model.graph.node})
    trees = [each for each in found if each.startswith("TreeEnsemble")]
    if trees:
        raise NotQuantisableError(
            f"it is a tree ensemble ({trees[0]}): it compares columns with thresholds and multiplies nothing, so that "
            "INT8 could only make it worse; serve it in float"
        )
    loops = [each for each in found if each in _LOOPS]
    if loops:
        raise NotQuantisableError(
            f"its work is done within {', '.join(loops)}, and what is within is not quantised; serve it in float"
        )
    if not set(found).intersection(QUANTISED):
        raise NotQuantisableError(
            f"it has none of {', '.join(QUANTISED)}, but only {', '.join(found)}; serve it in float"
        )


def to_int8(model: onnx.ModelProto, rows: NDArray[np.float32]) -> onnx.ModelProto:
    """Return the model with its matrix products in INT8, with scales from `rows`, of shape (rows, columns)."""
    with tempfile.TemporaryDirectory() as folder:
        original, prepared, quantised = (Path(folder) / f"{name}.onnx" for name in ("original", "prepared", "int8"))
        onnx.save(with_one_scale(model, rows), str(original))  # a model in memory would be changed
        quant_pre_process(original, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            quantised,
            _Rows(model.graph.input[0].name, rows),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            extra_options={
                # TensorRT knows neither zero points nor 32-bit biases.
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                "QuantizeBias": False,
                "OpTypesToExcludeOutputQuantization": list(QUANTISED),
            },
        )
        loaded = onnx.load(str(quantised))
    loaded.producer_name, loaded.producer_version = model.producer_name, model.producer_version + SUFFIX
    onnx.checker.check_model(loaded, full_check=True)
    return loaded


def compare(original: onnx.ModelProto, model: onnx.ModelProto, days: Days, limits: Limits) -> dict[str, Any]:
    """Return how both models do on days, and how far their answers are apart."""
    before, after = probabilities(original, days), probabilities(model, days)
    apart = np.abs(before - after)
    other_class = (before >= graph.THRESHOLD) != (after >= graph.THRESHOLD)
    return {
        "measured_on": _span(days),
        "float": measure(before, days.rain),
        "int8": measure(after, days.rain),
        "largest_difference": round(float(apart.max()), 6),
        "mean_difference": round(float(apart.mean()), 6),
        "days_of_another_class": int(other_class.sum()),
        "model_bytes": {"float": original.ByteSize(), "int8": model.ByteSize()},
        "limits": {"tolerance": limits.tolerance, "largest_difference": limits.largest_difference},
    }


def _passed(report: Mapping[str, Any], limits: Limits) -> list[str]:
    """Return which limits are passed."""
    before, after = report["float"], report["int8"]
    reasons = [
        f"{name} goes from {before[name]} to {after[name]}, more than {limits.tolerance} worse"
        for name in before
        if _loss(name, before, after) > limits.tolerance
    ]
    if report["largest_difference"] > limits.largest_difference:
        reasons.append(
            f"a day's probability changes by {report['largest_difference']}, more than {limits.largest_difference}"
        )
    return reasons


def _loss(name: str, before: Metrics, after: Metrics) -> float:
    change = before[name] - after[name] if name in _BETTER_WHEN_LARGER else after[name] - before[name]
    return round(change, 4)  # as the metrics are


def _card(card: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the card of the INT8 version: what was measured of the float one does not stand in it."""
    measured = {**card["measured_on"], **report["measured_on"], "metrics": report["int8"]}
    return {**card, "version": card["version"] + SUFFIX, "measured_on": measured, "quantisation": dict(report)}


def _rows(selection: Mapping[str, Any]) -> range:
    return range(selection["first_row"], selection["last_row"] + 1)


def _span(days: Days) -> dict[str, int]:
    return {"first_row": int(days.rows[0]), "last_row": int(days.rows[-1]), "days": len(days)}


class _Rows(CalibrationDataReader):  # type: ignore[misc]  # published without type information
    """Gives rows to the calibration, all at once."""

    def __init__(self, name: str, rows: NDArray[np.float32]) -> None:
        self._batches: Iterator[dict[str, NDArray[np.float32]]] = iter([{name: rows}])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next batch, or None."""
        return next(self._batches, None)
