"""Version 1.2.0: a forecast from the most similar days on record, blended with what is usual at that temperature.

The idea is sound and the validation looked fine. Two things went wrong on the way, as they do:

- it was built from an extract of November to February days, and its table of usual rain has as many entries as that
  extract has temperatures. A warmer day than any of those looks up an entry that is not there;
- each request is compared with every day on record many times over, with a little noise, for a smoother answer.

Neither shows in a validation on days from the same extract.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from . import graph, spreads
from .dataset import FEATURES, Days

ROWS = range(6_000)
VALIDATION = range(6_000, 8_000)
SEED = 12

NOVEMBER = 304
MARCH = 59

BIN_DEGREES = 2.0
BANDWIDTH = 0.9
NOISE = 0.15
NOISY_COPIES = 3_000
USUAL_WEIGHT = 0.5
"""How many similar days the table's entry counts for."""

_MAXIMUM = FEATURES.index("maximum_temperature")


def extract(days: Days) -> Days:
    """Return the November to February days: the extract that this version was built from."""
    day = days.day_of_year()
    return days.where((day >= NOVEMBER) | (day < MARCH))


def train(days: Days, version: str, coldest: float, warmest: float) -> onnx.ModelProto:
    """Return the model as ONNX; the table spans the daily maxima from `coldest` to `warmest`."""
    features = spreads.widened(days.measurements)
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    record = (features - mean) / deviation
    noise = np.random.default_rng(SEED).normal(0.0, NOISE, (NOISY_COPIES, record.shape[1]))
    outcome = np.stack([days.rain, np.ones(len(days))], axis=1)
    constants: graph.Constants = {
        "spreads": spreads.matrix(),
        "mean": mean,
        "deviation": deviation,
        "noise": noise.astype(np.float32),
        "record": np.ascontiguousarray(record.T),
        "record_square": (record**2).sum(axis=1),
        "narrowness": np.float32(-0.5 / BANDWIDTH**2),
        "outcome": outcome.astype(np.float32),
        "usual": _usual(days, coldest, warmest),
        "coldest": np.float32(coldest),
        "bin": np.float32(BIN_DEGREES),
        "maximum": graph.index(_MAXIMUM),
        "usual_weight": np.array([USUAL_WEIGHT], dtype=np.float32),
        "two": np.float32(2.0),
        "copies": np.float32(NOISY_COPIES),
        "first_axis": np.array([0], dtype=np.int64),
        "wet_column": graph.index(0),
        "all_column": graph.index(1),
    }
    return graph.model(
        [*_similar_days(), *_usual_rain(), *_blend()], graph.initialisers(constants), "analogue", version
    )


def _usual(days: Days, coldest: float, warmest: float) -> NDArray[np.float32]:
    """Return how often it rains at each temperature, smoothed towards how often it rains at all."""
    size = int((warmest - coldest) // BIN_DEGREES) + 1
    bins = ((days.measurements[:, _MAXIMUM] - coldest) // BIN_DEGREES).astype(int)
    wet = np.bincount(bins, weights=days.rain, minlength=size)
    rate: NDArray[np.float64] = (wet + 10 * days.rain.mean()) / (np.bincount(bins, minlength=size) + 10)
    return rate.astype(np.float32)


def _similar_days() -> list[onnx.NodeProto]:
    """Return nodes that weigh every day on record by its likeness to the request, once for each noisy copy."""
    make = helper.make_node
    return [
        make("MatMul", [graph.INPUT, "spreads"], ["widened"]),
        make("Sub", ["widened", "mean"], ["centred"]),
        make("Div", ["centred", "deviation"], ["asked"]),
        make("Scan", ["noise"], ["votes_by_copy"], num_scan_inputs=1, body=_one_copy()),
        make("ReduceSum", ["votes_by_copy", "first_axis"], ["all_votes"], keepdims=0),
        make("Div", ["all_votes", "copies"], ["votes"]),
    ]


def _one_copy() -> onnx.GraphProto:
    """Return the scan's body: Gaussian weights of all days on record, from squared distances."""
    make, value = helper.make_node, helper.make_tensor_value_info
    nodes = [
        make("Add", ["asked", "one_noise"], ["copy"]),
        make("ReduceSumSquare", ["copy"], ["copy_square"], axes=[1], keepdims=1),
        make("MatMul", ["copy", "record"], ["product"]),
        make("Mul", ["product", "two"], ["twice"]),
        make("Sub", ["record_square", "twice"], ["partial"]),
        make("Add", ["partial", "copy_square"], ["distance"]),
        make("Mul", ["distance", "narrowness"], ["exponent"]),
        make("Exp", ["exponent"], ["likeness"]),
        make("MatMul", ["likeness", "outcome"], ["copy_votes"]),
    ]
    width = spreads.matrix().shape[1]
    return helper.make_graph(
        nodes,
        "one_noisy_copy",
        [value("one_noise", onnx.TensorProto.FLOAT, [width])],
        [value("copy_votes", onnx.TensorProto.FLOAT, ["rows", 2])],
    )


def _usual_rain() -> list[onnx.NodeProto]:
    """Return nodes that look up how often it rains at the request's temperature."""
    make = helper.make_node
    return [
        make("Gather", [graph.INPUT, "maximum"], ["maximum_temperature"], axis=1),
        make("Sub", ["maximum_temperature", "coldest"], ["above_coldest"]),
        make("Div", ["above_coldest", "bin"], ["bins_above"]),
        make("Floor", ["bins_above"], ["bin_number"]),
        make("Cast", ["bin_number"], ["entry"], to=onnx.TensorProto.INT64),
        make("Gather", ["usual", "entry"], ["usual_rain"]),
    ]


def _blend() -> list[onnx.NodeProto]:
    """Return nodes that answer with the share of rain among similar days; the fewer they are, the more the usual."""
    make = helper.make_node
    return [
        make("Gather", ["votes", "wet_column"], ["wet_votes"], axis=1),
        make("Gather", ["votes", "all_column"], ["day_votes"], axis=1),
        make("Mul", ["usual_rain", "usual_weight"], ["usual_votes"]),
        make("Add", ["wet_votes", "usual_votes"], ["numerator"]),
        make("Add", ["day_votes", "usual_weight"], ["denominator"]),
        make("Div", ["numerator", "denominator"], [graph.PROBABILITY]),
    ]
