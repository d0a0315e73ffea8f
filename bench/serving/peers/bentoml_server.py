"""BentoML with adaptive batching, as its documentation shows it; what is not JSON comes in as an uploaded file."""
# mypy: ignore-errors

from pathlib import Path
from typing import Annotated

import bentoml
import numpy as np
from bench_model import MAX_BATCH, folder_given, format_given, load, read_npy
from bentoml.validators import ContentType

LONGEST_MILLISECONDS = 60_000
"""Its default: what would take longer is refused."""


@bentoml.service(workers=1, traffic={"timeout": 60, "concurrency": 1024}, logging={"access": {"enabled": False}})
class Bench:
    """The service."""

    def __init__(self) -> None:
        self.model = load(folder_given())

    if format_given() == "npy":

        @bentoml.api(
            route="/invocations", batchable=True, max_batch_size=MAX_BATCH, max_latency_ms=LONGEST_MILLISECONDS
        )
        def invoke(self, files: list[Annotated[Path, ContentType("application/x-npy")]]) -> np.ndarray:
            """Predict from npy; the answer is JSON, because BentoML would write a file for another."""
            rows = np.concatenate([read_npy(each.read_bytes()) for each in files])
            return np.column_stack(self.model.run(rows))

    else:

        @bentoml.api(
            route="/invocations", batchable=True, max_batch_size=MAX_BATCH, max_latency_ms=LONGEST_MILLISECONDS
        )
        def invoke(self, instances: np.ndarray) -> np.ndarray:
            """Predict from JSON; the answer is one row for each row, one column for each output."""
            return np.column_stack(self.model.run(np.asarray(instances, dtype=np.float32)))
