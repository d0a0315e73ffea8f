"""Opens a model on the best device that is to be had and allowed."""

import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..artefact import MODEL_FILE
from ..observability.logs import LOGGER
from . import buckets, engines, provider_options
from .cpu import CpuSession
from .gpu import GpuSession, Lane
from .providers import CPU, CUDA, GPU_PROVIDERS, TENSORRT, DeviceUnavailableError, choose, require_gpu
from .session import DeviceSettings, Session
from .tensors import Tensors, UnsupportedModelError, read

if TYPE_CHECKING:
    from ..signature import Signature

DISABLE_GRAPHS = "TIDEGATE_CUDA_GRAPHS=0"


@dataclass(frozen=True, kw_only=True)
class Opening:
    """All that is needed to open a model.

    Parameters
    ----------
    runtime
        The ``onnxruntime`` module.
    path
        The ONNX file.
    signature, settings, tensors
        The model's and the container's.
    providers
        The execution providers to ask for.
    """

    runtime: Any
    path: Path
    signature: "Signature"
    settings: DeviceSettings
    tensors: Tensors
    providers: Sequence[str]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The batch sizes on a GPU."""
        fixed = self.tensors.fixed_rows
        return buckets.sizes(self.settings.max_batch_rows) if fixed is None else (fixed,)

    @property
    def is_quantised(self) -> bool:
        """Whether the model quantises its own tensors."""
        return is_quantised(self.path)


class NotGivenError(Exception):
    """ONNX Runtime dropped the provider that was asked for: it says so in its log only."""


def open_session(folder: Path, signature: "Signature", settings: DeviceSettings, runtime: Any = None) -> Session:
    """Open the model of a folder and warm it up; call it in the thread that will run it.

    Parameters
    ----------
    folder
        With ``model.onnx`` and, perhaps, ``engines/``.
    signature
        The model's.
    settings
        How to run it.
    runtime
        The ``onnxruntime`` module; imported if not given.

    Raises
    ------
    DeviceUnavailableError
        If a GPU is asked for and is not to be had.
    UnsupportedModelError
        If the model has several inputs, or is not what its signature says.
    ModelFailedError
        If it fails on its own sample.
    EngineCacheError
        If there is no folder for TensorRT's engines.
    """
    opening = describe(folder, signature, settings, runtime)
    failures = []
    for provider in (each for each in opening.providers if each in GPU_PROVIDERS):
        try:
            return with_or_without_graphs(opening, _attempt(opening, provider))
        except (UnsupportedModelError, engines.EngineCacheError):
            raise
        except Exception as error:  # ONNX Runtime's errors share no base of their own
            LOGGER.warning(f"the model does not run on {provider}", extra={"reason": str(error)})
            failures.append(f"{provider}: {error}")
    if failures and settings.device == "gpu":
        raise DeviceUnavailableError(
            f"TIDEGATE_DEVICE=gpu, but the model does not run on a GPU ({'; '.join(failures)}); check the image, the "
            "instance type and the InferenceAmiVersion, or set TIDEGATE_DEVICE=auto to fall back to the CPU"
        )
    return _on_cpu(opening)


def describe(folder: Path, signature: "Signature", settings: DeviceSettings, runtime: Any = None) -> Opening:
    """Return what is needed to open a folder's model; raises as `open_session`."""
    runtime = runtime or _onnxruntime()
    path = folder / MODEL_FILE
    if settings.precision == "int8" and not is_quantised(path):
        raise UnsupportedModelError(
            "TIDEGATE_PRECISION=int8, but model.onnx does not quantise its tensors (it has no DequantizeLinear); "
            "make one that does with `python -m model_containers.training quantise`, or set TIDEGATE_PRECISION=fp16"
        )
    providers = choose(settings.device, runtime.get_available_providers(), signature.execution_providers)
    options = _session_options(runtime, settings)
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL  # it is only looked at
    tensors = read(_opened_on_cpu(runtime, path, options), signature)
    return Opening(
        runtime=runtime, path=path, signature=signature, settings=settings, tensors=tensors, providers=providers
    )


def on_tensorrt(opening: Opening, folder: Path, *, graphs: bool) -> GpuSession:
    """Open the model on TensorRT, with engines from and into a writable folder; raises as ONNX Runtime does.

    TensorRT's provider keeps one CUDA graph a session, and a graph does not survive its context's change of shape: with
    graphs each bucket has a session and an engine of its own, of fixed shape. Without, one engine serves all of them.
    """
    sizes = opening.sizes
    ranges = {size: (size, size) for size in sizes} if graphs else dict.fromkeys(sizes, (sizes[0], sizes[-1]))
    sessions: dict[tuple[int, int], Any] = {}
    for least, most in sorted(set(ranges.values())):
        named = folder / (f"rows-{most}" if least == most else f"rows-{least}-{most}")
        named.mkdir(parents=True, exist_ok=True)
        options = provider_options.tensorrt(
            gpu=opening.settings.gpu,
            precision=opening.settings.precision,
            quantised=opening.is_quantised,
            engines=named,
            timings=folder,
            graphs=graphs,
        )
        options |= provider_options.profile(opening.tensors, least, most)
        sessions[least, most] = _on_gpu(
            opening, TENSORRT, {TENSORRT: options, CUDA: _cuda_options(opening, graphs=False)}
        )
    lanes = {size: _lane(opening, sessions[ranges[size]], size) for size in sizes}
    return _ready(opening, sessions[ranges[sizes[0]]], lanes)


def on_cuda(opening: Opening, *, graphs: bool) -> GpuSession:
    """Open the model on CUDA: one session, and a graph of its own for each bucket; raises as ONNX Runtime does."""
    session = _on_gpu(opening, CUDA, {CUDA: _cuda_options(opening, graphs=graphs)})
    lanes = {
        size: _lane(opening, session, size, graph_id=number if graphs else None)
        for number, size in enumerate(opening.sizes, start=1)
    }
    return _ready(opening, session, lanes)


def is_quantised(path: Path) -> bool:
    """Return whether a model has DequantizeLinear nodes: their name stands in the file as it is."""
    if not path.stat().st_size:  # of nothing there is no map
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"DequantizeLinear") >= 0


def with_or_without_graphs(opening: Opening, attempt: Callable[[bool], GpuSession]) -> GpuSession:
    """Open with CUDA graphs if they are wanted and can be had, else without; `attempt` is told which."""
    if not opening.settings.cuda_graphs:
        return attempt(False)
    try:
        _check_sized(opening.tensors)
        return attempt(True)
    except (UnsupportedModelError, engines.EngineCacheError, NotGivenError):
        raise
    except Exception as error:  # ONNX Runtime's errors share no base of their own
        reason = str(error)
    # A failed capture leaves the session's stream unusable: the model is opened anew. Outside the handler, so that what
    # the error's traceback holds of the old session is freed.
    LOGGER.warning(
        "no CUDA graphs: every kernel of the model is launched one by one, which costs each batch some microseconds a "
        f"kernel; the answers are the same. {DISABLE_GRAPHS} saves the attempt",
        extra={"reason": reason},
    )
    return attempt(False)


def _attempt(opening: Opening, provider: str) -> Callable[[bool], GpuSession]:
    """Return what opens the model on a provider, with or without CUDA graphs."""
    if provider == CUDA:
        return lambda graphs: on_cuda(opening, graphs=graphs)
    folder = _engine_folder(opening)
    return lambda graphs: on_tensorrt(opening, folder, graphs=graphs)


def _check_sized(tensors: Tensors) -> None:
    for each in tensors.outputs:
        if not each.is_sized:
            raise ValueError(
                f"output {each.name!r} has no fixed size in model.onnx; a CUDA graph writes to fixed addresses"
            )


def _engine_folder(opening: Opening) -> Path:
    key = engines.detect(opening.settings.gpu, opening.runtime.__version__)
    manifest = engines.Manifest.of(opening.path, opening.settings.precision)
    return engines.prepare(opening.path.parent / engines.SHIPPED, opening.settings.engine_cache, key, manifest)


def _on_gpu(opening: Opening, wanted: str, options: dict[str, provider_options.Options]) -> Any:
    providers = [(name, options[name]) for name in (TENSORRT, CUDA) if name in options and name in opening.providers]
    session = _inference(
        opening.runtime, opening.path, _session_options(opening.runtime, opening.settings), [*providers, CPU]
    )
    if wanted not in session.get_providers():
        raise NotGivenError(f"ONNX Runtime could not load it, and offers {', '.join(session.get_providers())}")
    return session


def _cuda_options(opening: Opening, *, graphs: bool) -> provider_options.Options:
    return provider_options.cuda(gpu=opening.settings.gpu, precision=opening.settings.precision, graphs=graphs)


def _lane(opening: Opening, session: Any, size: int, graph_id: int | None = None) -> Lane:
    return Lane(opening.runtime, session, opening.tensors, size, gpu=opening.settings.gpu, graph_id=graph_id)


def _ready(opening: Opening, session: Any, lanes: dict[int, Lane]) -> GpuSession:
    ready = GpuSession(session.get_providers(), opening.tensors, lanes)
    ready.warm_up(opening.signature)
    return ready


def _on_cpu(opening: Opening) -> CpuSession:
    options = _session_options(opening.runtime, opening.settings)
    session = _opened_on_cpu(opening.runtime, opening.path, options)
    require_gpu(opening.settings.device, session.get_providers())
    ready = CpuSession(opening.runtime, session, opening.tensors)
    ready.warm_up(opening.signature)
    return ready


def _opened_on_cpu(runtime: Any, path: Path, options: Any) -> Any:
    try:
        return _inference(runtime, path, options, [CPU])
    except Exception as error:  # ONNX Runtime's errors share no base of their own
        shown = f"{path} ({path.stat().st_size} bytes)" if path.is_file() else path
        way_out = "if it was damaged on its way, copy it again; else export it anew, for this version"
        raise UnsupportedModelError(
            f"{shown} is not a model that ONNX Runtime {runtime.__version__} can open: {error}; {way_out}"
        ) from error


def _inference(runtime: Any, path: Path, options: Any, providers: Sequence[Any]) -> Any:
    # Left to itself, ONNX Runtime retries on the CPU what fails on a GPU, at the start and at runs, and prints that.
    return runtime.InferenceSession(str(path), options, providers=list(providers), enable_fallback=0)


def _session_options(runtime: Any, settings: DeviceSettings) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = settings.intra_op_threads
    options.inter_op_num_threads = 1
    # Spinning threads win microseconds and cost the neighbours a core.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # failures are reported by us, once
    return options


def _onnxruntime() -> Any:
    import onnxruntime  # takes long, so only when a model is opened

    return onnxruntime
