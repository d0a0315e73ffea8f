"""Triton's Python backend: the model as its documentation shows it, one call for each batch of requests."""
# mypy: ignore-errors

from typing import Any

import numpy as np
import triton_python_backend_utils as triton
from bench_model import folder_given, load, output_names, split


class TritonPythonModel:
    """The backend finds it by this name."""

    def initialize(self, _arguments: dict[str, str]) -> None:
        """Load the model."""
        self.model = load(folder_given())
        self.names = output_names(folder_given())

    def execute(self, requests: list[Any]) -> list[Any]:
        """Run all requests that the dynamic batcher hands over as one batch."""
        rows = [triton.get_input_tensor_by_name(each, "rows").as_numpy() for each in requests]
        answers = split(self.model.run(np.concatenate(rows)), [len(each) for each in rows])
        return [triton.InferenceResponse(output_tensors=self._tensors(each)) for each in answers]

    def _tensors(self, outputs: tuple[np.ndarray, ...]) -> list[Any]:
        named = zip(self.names, outputs, strict=True)
        return [triton.Tensor(name, each.astype(np.float32).reshape(-1, 1)) for name, each in named]
