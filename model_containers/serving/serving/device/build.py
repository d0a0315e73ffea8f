"""Builds TensorRT's engines offline, for the GPU of this machine."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..observability.logs import LOGGER
from . import engines
from .opening import describe, on_tensorrt, with_or_without_graphs
from .providers import TENSORRT, DeviceUnavailableError
from .session import DeviceSettings

if TYPE_CHECKING:
    from ..signature import Signature


def build(
    model_dir: Path,
    signature: "Signature",
    settings: DeviceSettings,
    output: Path | None = None,
    runtime: Any = None,
) -> Path:
    """Build the engines that `open_session` would use here, and their timing cache; return their folder.

    Run it on the instance type and in the image that will serve the model: engines fit one compute capability, one
    TensorRT and one ONNX Runtime, and are tuned to the very GPU that they are built on.

    Parameters
    ----------
    model_dir
        The model's folder.
    signature
        The model's.
    settings
        As for serving; `device` must not be ``cpu``.
    output
        Where to put ``<key>/``; the model's ``engines/`` if not given.
    runtime
        As for `open_session`.

    Raises
    ------
    DeviceUnavailableError
        Without TensorRT or a GPU.
    UnsupportedModelError, ModelFailedError
        As `open_session`.
    """
    opening = describe(model_dir, signature, settings, runtime)
    key = engines.detect(settings.gpu, opening.runtime.__version__)
    if key is None or TENSORRT not in opening.providers:
        raise DeviceUnavailableError(
            f"engines are built by TensorRT on a GPU; here is only {', '.join(opening.providers)}. Run this in the GPU "
            "image, on the instance type that will serve the model"
        )
    folder = (output or model_dir / engines.SHIPPED) / str(key)
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    with_or_without_graphs(opening, lambda graphs: on_tensorrt(opening, partial, graphs=graphs))
    engines.Manifest.of(opening.path, settings.precision).save(partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)
    LOGGER.info("engines built", extra={"folder": str(folder), "key": str(key)})
    return folder
