"""TensorRT's engines: what they were built for, where the model's artefact ships them, and where they are used.

To build an engine takes minutes, so that it is done once and offline (`build`); the result is shipped within the
artefact as ``engines/<key>/``. ONNX Runtime writes beside the engines that it reads, and the artefact is read-only:
they are copied to a writable folder first.

An engine fits one compute capability, one TensorRT and one ONNX Runtime: together the key.
"""

import ctypes
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import StartError
from ..observability.logs import LOGGER

SHIPPED = "engines"
"""The folder in the artefact."""

MANIFEST = "manifest.json"
LIBCUDA = "libcuda.so.1"
LIBNVINFER = "libnvinfer.so.10"

# CUdevice_attribute in cuda.h
_MAJOR, _MINOR = 75, 76

Load = Callable[[str], Any]


class EngineCacheError(StartError):
    """The folder for engines cannot be used."""


@dataclass(frozen=True)
class EngineKey:
    """What an engine fits.

    Parameters
    ----------
    compute_capability
        Of the GPU, such as ``86``.
    tensorrt, onnxruntime
        Their versions.
    """

    compute_capability: str
    tensorrt: str
    onnxruntime: str

    def __str__(self) -> str:
        """Return the folder's name, such as ``sm86-trt10.13.3-ort1.31.1``."""
        return f"sm{self.compute_capability}-trt{self.tensorrt}-ort{self.onnxruntime}"


@dataclass(frozen=True)
class Manifest:
    """What engines were built from.

    Parameters
    ----------
    model_sha256
        Of ``model.onnx``.
    precision
        What TensorRT was told to compute in.
    """

    model_sha256: str
    precision: str

    @classmethod
    def of(cls, model: Path, precision: str) -> "Manifest":
        """Return the manifest of engines that are built now."""
        with model.open("rb") as file:
            return cls(hashlib.file_digest(file, "sha256").hexdigest(), precision)

    @classmethod
    def load(cls, folder: Path) -> "Manifest | None":
        """Read a folder's manifest; None if there is none that can be read."""
        try:
            return cls(**json.loads((folder / MANIFEST).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, folder: Path) -> None:
        """Write it into a folder."""
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=2) + "\n")


def detect(gpu: int, onnxruntime: str, load: Load = ctypes.CDLL) -> EngineKey | None:
    """Return the key of this machine, asked of the driver and of TensorRT themselves; None without either.

    Parameters
    ----------
    gpu
        Index of the GPU among those that are visible.
    onnxruntime
        Its version.
    load
        Loads a shared library by its name.
    """
    try:
        return EngineKey(_compute_capability(load(LIBCUDA), gpu), _tensorrt(load(LIBNVINFER)), onnxruntime)
    except (OSError, AttributeError) as error:
        LOGGER.warning(
            "the driver and TensorRT cannot be asked for their versions: no engines of the artefact are used",
            extra={"reason": str(error)},
        )
        return None


def prepare(shipped: Path, cache: Path, key: EngineKey | None, manifest: Manifest) -> Path:
    """Return a writable folder with the engines that were shipped for this machine and model, if there are any.

    Parameters
    ----------
    shipped
        ``engines`` of the model's artefact.
    cache
        A writable folder (TIDEGATE_ENGINE_CACHE).
    key
        Of this machine.
    manifest
        Of this model.

    Raises
    ------
    EngineCacheError
        If the cache cannot be written.
    """
    folder = cache / _name(key) / f"{manifest.model_sha256[:16]}-{manifest.precision}"
    usable = _usable(shipped, key, manifest)
    try:
        if usable is not None and not folder.exists():
            _copy(usable, folder)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EngineCacheError(
            f"TIDEGATE_ENGINE_CACHE={cache} cannot be written ({error}); set it to a folder that can be"
        ) from error
    return folder


def _name(key: EngineKey | None) -> str:
    return "unknown" if key is None else str(key)


def _usable(shipped: Path, key: EngineKey | None, manifest: Manifest) -> Path | None:
    """Return the shipped folder that fits; log why there is none."""
    fitting = shipped / _name(key)
    built = Manifest.load(fitting)
    if built == manifest:
        return fitting
    found = sorted(each.name for each in shipped.iterdir()) if shipped.is_dir() else []
    LOGGER.warning(
        "no TensorRT engines for this machine and model in the artefact: they are built now, which takes minutes; "
        "build them offline with `python -m serving build-engines`",
        extra={
            "needed": _name(key),
            "found": found,
            "needed_model": asdict(manifest),
            "found_model": built and asdict(built),
        },
    )
    return None


def _copy(source: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    # Bytes only: files of the artefact may be read-only, and ONNX Runtime rewrites some.
    shutil.copytree(source, partial, copy_function=shutil.copyfile)
    partial.replace(target)


def _compute_capability(cuda: Any, gpu: int) -> str:
    device, value = ctypes.c_int(), ctypes.c_int()
    _check(cuda.cuInit(0))
    _check(cuda.cuDeviceGet(ctypes.byref(device), gpu))
    parts = []
    for attribute in (_MAJOR, _MINOR):
        _check(cuda.cuDeviceGetAttribute(ctypes.byref(value), attribute, device))
        parts.append(str(value.value))
    return "".join(parts)


def _check(status: int) -> None:
    if status != 0:
        raise OSError(f"the CUDA driver answers with error {status}")


def _tensorrt(nvinfer: Any) -> str:
    """Return TensorRT's version, which since 10.0 comes as major * 10000 + minor * 100 + patch (NvInferVersion.h)."""
    number = int(nvinfer.getInferLibVersion())
    return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"
