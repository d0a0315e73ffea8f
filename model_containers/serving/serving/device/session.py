"""What the batcher sees of a device, and what a device wants to know."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Session(Protocol):
    """A model that is ready to run.

    It belongs to one thread: the one that opened it must be the one that runs it. ONNX Runtime keeps CUDA graphs by
    thread, so that another thread would capture them anew in the middle of a request.
    """

    @property
    def providers(self) -> Sequence[str]:
        """The execution providers that it runs on, the preferred first."""

    @property
    def buckets(self) -> Sequence[int]:
        """The only numbers of rows that it takes, ascending; empty: any number."""

    @property
    def bucket_seconds(self) -> Sequence[float]:
        """How long a run took at warm-up, one for each of `buckets`."""

    def run(self, rows: NDArray[np.float32]) -> tuple[NDArray[Any], ...]:
        """Run the model.

        Parameters
        ----------
        rows
            Of shape (n, *row shape); with `buckets`, n is one of them.

        Returns
        -------
        tuple
            One array for each output of the signature, in its order: of shape (n,), also where the model gives (n, 1),
            or (n, k...). They are the caller's own: a later run does not touch them.

        Raises
        ------
        ModelFailedError
            With ONNX Runtime's own words.
        """


class DeviceSettings(Protocol):
    """What a device takes from the container's settings."""

    @property
    def device(self) -> str:
        """One of ``gpu``, ``cpu``, ``auto``."""

    @property
    def intra_op_threads(self) -> int:
        """ONNX Runtime's threads per inference on the CPU."""

    @property
    def gpu(self) -> int:
        """Which of the visible GPUs: a process serves one."""

    @property
    def precision(self) -> str:
        """What TensorRT computes in: ``fp16``, ``fp32`` or ``int8``."""

    @property
    def max_batch_rows(self) -> int:
        """The most rows of a batch, and so the largest bucket of a GPU."""

    @property
    def cuda_graphs(self) -> bool:
        """Whether to capture a CUDA graph for each bucket."""

    @property
    def engine_cache(self) -> Path:
        """A writable folder for TensorRT's engines."""
