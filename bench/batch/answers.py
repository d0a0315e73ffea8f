"""Whether every row has exactly one answer, in its place: compared with the model's own answers."""

from pathlib import Path
from typing import Any

import numpy as np

from bench.batch.rows import Part, Rows
from bench.errors import BenchError

_CLOSE = 1e-5


class Reference:
    """The model, asked directly.

    Parameters
    ----------
    path
        Its ONNX file.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime

        self._session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def probabilities(self, rows: Rows) -> Rows:
        """Return the probability of rain of each row."""
        name = self._session.get_inputs()[0].name
        return np.asarray(self._session.run(["probability"], {name: rows.astype(np.float32)})[0]).reshape(len(rows))


def check(part: Part, output: bytes, reference: Reference) -> None:
    """Raise `BenchError` unless there is one answer a row, each the row's own."""
    lines = output.splitlines()
    if len(lines) != len(part.rows):
        raise BenchError(f"{part.name} has {len(part.rows)} rows and {len(lines)} answers")
    found = np.array([float(line.split(b",")[0]) for line in lines])
    off = np.abs(found - reference.probabilities(part.rows))
    if off.max() > _CLOSE:
        raise BenchError(f"{part.name}: the answer to row {int(off.argmax()) + 1} is another row's")
