"""Which ONNX Runtime execution providers to ask for, and what to make of what was given."""

from collections.abc import Sequence

from ..errors import StartError
from ..observability.logs import LOGGER

TENSORRT = "TensorrtExecutionProvider"
CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
PREFERENCE = (TENSORRT, CUDA, CPU)
GPU_PROVIDERS = frozenset({TENSORRT, CUDA})


class DeviceUnavailableError(StartError):
    """A GPU was asked for and is not to be had: a failed start, for the fleet is paid for by the GPU."""


def choose(device: str, available: Sequence[str], wanted: Sequence[str] = ()) -> list[str]:
    """Return the execution providers to ask for, the preferred first.

    Parameters
    ----------
    device
        ``gpu``, ``cpu`` or ``auto``.
    available
        Providers that this build of ONNX Runtime has.
    wanted
        Providers that the model's signature limits itself to; empty for any. The CPU always takes what is left.
    """
    if device == "cpu":
        return [CPU]
    allowed = [each for each in PREFERENCE if each in available and (not wanted or each in wanted or each == CPU)]
    if device == "gpu":
        require_gpu(device, allowed)
    return allowed


def require_gpu(device: str, given: Sequence[str]) -> None:
    """Check what a session runs on: without a GPU, ``gpu`` fails and ``auto`` warns."""
    if device == "cpu" or GPU_PROVIDERS.intersection(given):
        return
    if device == "gpu":
        raise DeviceUnavailableError(
            f"TIDEGATE_DEVICE=gpu, but ONNX Runtime offers only {', '.join(given) or 'nothing'}; check the image, the "
            "instance type and the InferenceAmiVersion, or set TIDEGATE_DEVICE=auto to fall back to the CPU"
        )
    LOGGER.warning("no GPU: serving on the CPU", extra={"providers": list(given)})
