"""The memory of the GPUs, as NVIDIA's management library (NVML) tells it."""

import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from .logs import LOGGER


@dataclass(frozen=True)
class Usage:
    """One GPU's memory, in bytes."""

    gpu: str
    used: int
    total: int


class GpuMemory:
    """Reads the memory of all GPUs of the machine; never fails, and after a first error stays silent.

    NVML sees the machine's GPUs, not those of CUDA_VISIBLE_DEVICES, and their whole use, not this process's.

    Parameters
    ----------
    nvml
        The module ``pynvml`` after ``nvmlInit``.
    """

    def __init__(self, nvml: ModuleType) -> None:
        self._nvml: Any = nvml
        self._handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]

    @classmethod
    def open(cls, load: Callable[[str], ModuleType] = importlib.import_module) -> "GpuMemory | None":
        """Return a reader, or None where the library, its Python module or a GPU is missing. Takes some 10 ms."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an older package of the same name calls itself deprecated
                nvml = load("pynvml")
            nvml.nvmlInit()
            return cls(nvml)
        except Exception as error:  # NVML's errors are its own, and no metric is worth a failed start
            LOGGER.debug("no GPU memory metrics", extra={"error": str(error)})
            return None

    def read(self) -> list[Usage]:
        """Return each GPU's memory; nothing after an error."""
        try:
            found = [self._nvml.nvmlDeviceGetMemoryInfo(handle) for handle in self._handles]
        except Exception as error:  # as above; a driver that fails once is not asked again
            LOGGER.warning("GPU memory can no longer be read", extra={"error": str(error)})
            self._handles = []
            return []
        return [Usage(str(index), int(each.used), int(each.total)) for index, each in enumerate(found)]
