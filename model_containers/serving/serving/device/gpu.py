"""The model on a GPU: fixed batch sizes, each with memory at fixed addresses and, where it can be, a CUDA graph."""

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..observability.logs import LOGGER
from ..problems import ModelFailedError
from .staging import Staging
from .tensors import Tensors, flat
from .warm_up import timed, warm_up

if TYPE_CHECKING:
    from ..signature import Signature

DEVICE_TYPE = "cuda"
GRAPH_ID = "gpu_graph_id"
"""The run option that tells ONNX Runtime which of a session's CUDA graphs to capture or replay; 0 is its own."""


class Lane:
    """One batch size on the GPU.

    A CUDA graph reads and writes the addresses that it was captured with: input and outputs stay where they are.

    Parameters
    ----------
    runtime
        The ``onnxruntime`` module.
    session
        An ``onnxruntime.InferenceSession``; lanes may share it.
    tensors
        What the model takes and gives.
    size
        Rows of a batch.
    gpu
        Index of the GPU.
    graph_id
        Which of the session's CUDA graphs is this lane's, from 1; None if it has one graph only, or none.
    """

    def __init__(
        self, runtime: Any, session: Any, tensors: Tensors, size: int, *, gpu: int, graph_id: int | None = None
    ) -> None:
        self._session = session
        self._binding = session.io_binding()
        self._shape = (size, *tensors.row_shape)
        self._options = _run_options(runtime, graph_id)
        on_gpu = runtime.OrtValue.ortvalue_from_shape_and_type
        self._input = on_gpu(list(self._shape), tensors.dtype.type, DEVICE_TYPE, gpu)
        self._staging = Staging(runtime, self._input, self._shape, tensors.dtype)
        self._binding.bind_ortvalue_input(tensors.name, self._input)
        for each in tensors.outputs:
            if each.dtype is None or each.tail is None:  # ONNX Runtime allocates it at each run
                self._binding.bind_output(each.name, DEVICE_TYPE, gpu)
            else:
                value = on_gpu([size, *each.tail], each.dtype.type, DEVICE_TYPE, gpu)
                self._binding.bind_ortvalue_output(each.name, value)

    @property
    def is_pinned(self) -> bool:
        """Whether its input comes from page-locked memory."""
        return self._staging.is_pinned

    def run(self, rows: NDArray[np.float32]) -> tuple[NDArray[Any], ...]:
        """Run a batch of this lane's size; the arrays are the caller's own."""
        if rows.shape != self._shape:
            raise ValueError(f"rows have shape {rows.shape}; this bucket takes {self._shape}")
        self._staging.send(rows)
        self._session.run_with_iobinding(self._binding, self._options)
        # The copy back runs on a stream that does not wait for the model's.
        self._binding.synchronize_outputs()
        return tuple(flat(each) for each in self._binding.copy_outputs_to_cpu())


class GpuSession:
    """Implements `session.Session` on a GPU.

    Parameters
    ----------
    providers
        What ONNX Runtime gave.
    tensors
        What the model takes and gives.
    lanes
        By their batch size.
    """

    def __init__(self, providers: Sequence[str], tensors: Tensors, lanes: Mapping[int, Lane]) -> None:
        self.providers = tuple(providers)
        self.buckets: Sequence[int] = tuple(sorted(lanes))
        self.bucket_seconds: Sequence[float] = ()
        self._tensors = tensors
        self._lanes = dict(lanes)
        self._thread = threading.get_ident()

    def run(self, rows: NDArray[np.float32]) -> tuple[NDArray[Any], ...]:
        """Run the model; see `session.Session`."""
        lane = self._lanes.get(len(rows))
        if lane is None:
            raise ValueError(f"{len(rows)} rows; this session takes one of {self.buckets}: pad them")
        if threading.get_ident() != self._thread:
            self._thread = threading.get_ident()
            LOGGER.warning("the model runs in another thread than it was warmed up in: CUDA graphs are captured anew")
        try:
            return lane.run(rows)
        except Exception as error:  # ONNX Runtime's errors share no base of their own.
            raise ModelFailedError(str(error)) from error

    def warm_up(self, signature: "Signature") -> None:
        """Run the sample in every bucket, which captures its graph, and then time it."""
        for size in self.buckets:
            warm_up(self, signature, self._tensors, size)
        self.bucket_seconds = tuple(timed(self, signature, self._tensors, size) for size in self.buckets)
        if not all(lane.is_pinned for lane in self._lanes.values()):
            LOGGER.info("no page-locked memory from ONNX Runtime: each batch is copied once more on its way to the GPU")


def _run_options(runtime: Any, graph_id: int | None) -> Any:
    if graph_id is None:
        return None
    options = runtime.RunOptions()
    options.add_run_config_entry(GRAPH_ID, str(graph_id))
    return options
