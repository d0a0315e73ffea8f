"""Triton's model repository for its Python backend, and the command that serves it."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.serving import venvs
from bench.serving.models import Case
from bench.serving.peers.bench_model import MAX_BATCH

MODEL = "bench"
_STUB = "triton_python_backend_stub"


def write_repository(folder: Path, case: Case, distribution: Path) -> Path:
    """Write the model repository, and give the backend its stub for this Python, as the package does at run time."""
    model = folder / "repository" / MODEL
    (model / "1").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(venvs.PEERS / "triton_model.py", model / "1" / "model.py")
    shutil.copyfile(venvs.PEERS / "bench_model.py", model / "1" / "bench_model.py")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copy(distribution / "python_backend_stubs" / version / _STUB, distribution / "backends" / "python" / _STUB)
    (model / "config.pbtxt").write_text(_configuration(case), encoding="utf-8")
    return model.parent


def command(repository: Path, distribution: Path, port: int) -> Sequence[str]:
    """Return the server's command; its own defaults but for the ports."""
    return [
        str(distribution / "bin" / "tritonserver"),
        f"--model-repository={repository}",
        f"--backend-directory={distribution / 'backends'}",
        "--http-address=127.0.0.1",
        f"--http-port={port}",
        "--allow-grpc=false",
        "--allow-metrics=false",
    ]


def packages(distribution: Path) -> Path:
    """Return the folder to start it in: its Python ignores the environment, but looks where it was started."""
    return distribution.parent.parent


def distribution(python: Path) -> Path:
    """Return where the package has put the server."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return python.parent.parent / "lib" / version / "site-packages" / "pytriton" / "tritonserver"


def _configuration(case: Case) -> str:
    outputs = ", ".join(f'{{ name: "{name}", data_type: TYPE_FP32, dims: [ 1 ] }}' for name in case.outputs)
    # With no delay, where its documentation starts from, the batcher is greedy: it takes what waits.
    return f"""name: "{MODEL}"
backend: "python"
max_batch_size: {MAX_BATCH}
input [ {{ name: "rows", data_type: TYPE_FP32, dims: [ {case.rows.shape[1]} ] }} ]
output [ {outputs} ]
instance_group [ {{ kind: KIND_CPU, count: 1 }} ]
dynamic_batching {{ }}
"""
