"""What TensorRT and CUDA are told: the provider options of ONNX Runtime, as strings.

Names and meaning: https://onnxruntime.ai/docs/execution-providers/TensorRT-ExecutionProvider.html and
.../CUDA-ExecutionProvider.html.
"""

from pathlib import Path

from .tensors import Tensors

PRECISIONS = ("fp16", "fp32", "int8")
ENGINE_PREFIX = "tidegate"
"""Begins the names of engine files, which would otherwise depend on where the model lies."""

Options = dict[str, str]


def tensorrt(
    *,
    gpu: int,
    precision: str,
    quantised: bool,
    engines: Path,
    timings: Path,
    graphs: bool,
) -> Options:
    """Return the options of the TensorRT provider, but for the shapes (see `profile`).

    Parameters
    ----------
    gpu
        Index of the GPU.
    precision
        One of `PRECISIONS`. All but ``fp32`` let TensorRT choose half precision where it is faster.
    quantised
        Whether the model quantises its own tensors (QuantizeLinear): TensorRT then needs leave to use INT8.
    engines, timings
        Writable folders of the engines and of the timing cache.
    graphs
        Whether to run as a CUDA graph. TensorRT's provider keeps one graph a session.
    """
    return {
        "device_id": str(gpu),
        "trt_fp16_enable": _flag(precision != "fp32"),
        "trt_int8_enable": _flag(quantised),
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(engines),
        "trt_engine_cache_prefix": ENGINE_PREFIX,
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(timings),
        "trt_cuda_graph_enable": _flag(graphs),
    }


def profile(tensors: Tensors, least: int, most: int) -> Options:
    """Return the shapes that an engine is built for, fastest at the largest; none for a model of fixed shape."""
    if tensors.fixed_rows is not None:
        return {}
    return {
        "trt_profile_min_shapes": _shape(tensors, least),
        "trt_profile_opt_shapes": _shape(tensors, most),
        "trt_profile_max_shapes": _shape(tensors, most),
    }


def cuda(*, gpu: int, precision: str, graphs: bool) -> Options:
    """Return the options of the CUDA provider, which computes in the model's own precision.

    ``fp32`` also turns off TF32, which rounds the factors of products to 10 bits.
    """
    return {"device_id": str(gpu), "enable_cuda_graph": _flag(graphs), "use_tf32": _flag(precision != "fp32")}


def _shape(tensors: Tensors, rows: int) -> str:
    return f"{tensors.name}:{'x'.join(map(str, (rows, *tensors.row_shape)))}"


def _flag(value: bool) -> str:
    return "1" if value else "0"
