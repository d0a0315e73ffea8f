"""Page-locked memory that input goes through to the GPU, which reads it without another copy of the driver's."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..observability.logs import LOGGER
from .providers import CUDA


class Staging:
    """Where a batch waits for its way to the GPU.

    Parameters
    ----------
    runtime
        The ``onnxruntime`` module.
    target
        An ``OrtValue`` on the GPU.
    shape, dtype
        Of the batch.
    """

    def __init__(self, runtime: Any, target: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._target = target
        self._value = _pinned(runtime, target, shape, dtype)
        self._rows = None if self._value is None else self._value.numpy()
        self._dtype = dtype

    @property
    def is_pinned(self) -> bool:
        """Whether the memory is page-locked."""
        return self._value is not None

    def send(self, rows: NDArray[np.float32]) -> None:
        """Copy rows to the GPU; returns when they may be overwritten."""
        if self._rows is None:
            self._target.update_inplace(np.ascontiguousarray(rows, dtype=self._dtype))
            return
        self._rows[...] = rows
        self._target.update_inplace(self._value)


def _pinned(runtime: Any, target: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Return an ``OrtValue`` in page-locked memory, or None where ONNX Runtime has none to give.

    ONNX Runtime 1.31 gives it through the devices that its CUDA library registers; its Python interface knows no device
    name for it (``cuda_pinned`` is refused), and 1.26 may have no way at all.
    """
    try:
        for device in runtime.get_ep_devices():
            information = (
                device.memory_info(runtime.OrtDeviceMemoryType.HOST_ACCESSIBLE) if device.ep_name == CUDA else None
            )
            if information is not None:
                value = runtime.OrtValue.ortvalue_from_shape_and_type(list(shape), dtype.type, memory_info=information)
                target.update_inplace(value)  # older releases copy from numpy's arrays only
                # Of no use unless numpy writes where the GPU reads.
                return value if value.numpy().ctypes.data == value.data_ptr() else None
    except Exception as error:  # an older ONNX Runtime lacks the calls; this is a matter of speed only
        LOGGER.debug("no page-locked memory", extra={"reason": str(error)})
    return None
