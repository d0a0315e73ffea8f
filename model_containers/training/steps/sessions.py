"""Runs an exported model on rows, as the server would: ONNX Runtime, 32-bit floats."""

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from .archives import Packed
from .job import StepError

ROWS_AT_ONCE = 4_096
_LOG_FATAL = 4


def probabilities(model: Packed, output: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the model's probability of label 1 of each row; NaN where it fails or does not give a probability.

    Raises
    ------
    StepError
        If the model does not load, or has no such output.
    """
    tensor = model.tensor_of(output)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _LOG_FATAL  # a row that fails is counted, and would be logged each time
    try:
        session = onnxruntime.InferenceSession(model.onnx, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise StepError(f"the model does not load: {error}; export and register it again") from error
    name = str(model.signature["tensor"])
    answers = [
        _some(session, tensor, name, values[first : first + ROWS_AT_ONCE].astype(np.float32))
        for first in range(0, len(values), ROWS_AT_ONCE)
    ]
    answer = np.concatenate(answers) if answers else np.empty(0)
    with np.errstate(invalid="ignore"):
        return np.where((answer >= 0) & (answer <= 1), answer, np.nan)


def _some(
    session: onnxruntime.InferenceSession, output: str, name: str, values: NDArray[np.float32]
) -> NDArray[np.float64]:
    try:
        return np.asarray(session.run([output], {name: values})[0], dtype=np.float64).reshape(len(values))
    except Exception:
        if len(values) == 1:
            return np.full(1, np.nan)
    # One row can fail all: halve until it is found.
    half = len(values) // 2
    return np.concatenate([_some(session, output, name, part) for part in (values[:half], values[half:])])
