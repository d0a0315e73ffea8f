"""Where the model runs: on a GPU through TensorRT or CUDA, or on the CPU; always behind one `Session`."""

from .buckets import Splits
from .engines import EngineCacheError
from .opening import open_session
from .providers import CPU, CUDA, GPU_PROVIDERS, PREFERENCE, TENSORRT, DeviceUnavailableError, choose, require_gpu
from .session import DeviceSettings, Session
from .tensors import UnsupportedModelError

__all__ = [
    "CPU",
    "CUDA",
    "GPU_PROVIDERS",
    "PREFERENCE",
    "TENSORRT",
    "DeviceSettings",
    "DeviceUnavailableError",
    "EngineCacheError",
    "Session",
    "Splits",
    "UnsupportedModelError",
    "choose",
    "open_session",
    "require_gpu",
]
