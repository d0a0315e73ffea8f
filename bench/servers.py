"""The HTTP servers that are measured, each a process of its own."""

import http.client
import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.errors import BenchError
from stacks.config import ROOT

PATIENCE_SECONDS = 20.0
STOP_SECONDS = 5.0
BOOTSTRAP_MODEL = ROOT / "model_containers" / "bootstrap" / "rain" / "model.tar.gz"
SERVING_CONTEXT = ROOT / "model_containers" / "serving"


class ServerStartError(BenchError):
    """A server did not come up."""


def unpack_bootstrap(folder: Path) -> Path:
    """Unpack the bootstrap model into a folder, as SageMaker does, and return it."""
    with tarfile.open(BOOTSTRAP_MODEL) as archive:
        archive.extractall(folder, filter="data")
    return folder


@contextmanager
def serving_container(model: Path, log: Path) -> Iterator[int]:
    """Run the serving container's program as its Dockerfile starts it; the value is its port."""
    environment = {"SAGEMAKER_BIND_TO_PORT": "0", "SM_MODEL_DIR": str(model)}
    with _running(["serving", "serve"], SERVING_CONTEXT, environment, log) as port:
        _wait(lambda: _ready(port), log)
        yield port


@contextmanager
def constant_server(log: Path) -> Iterator[int]:
    """Run the server that answers a constant; the value is its port."""
    with _running(["bench.constant"], ROOT, {}, log) as port:
        yield port


@contextmanager
def _running(module: Sequence[str], folder: Path, environment: dict[str, str], log: Path) -> Iterator[int]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(lambda: process.poll() is not None or _port(log) is not None, log)
        port = _port(log)
        if port is None:
            raise ServerStartError(f"{' '.join(module)} ended:\n{log.read_text()}")
        yield port
    finally:
        _end(process)


def _wait(condition: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise ServerStartError(f"waited {PATIENCE_SECONDS:g} s in vain:\n{log.read_text()}")
        time.sleep(0.02)


def _port(log: Path) -> int | None:
    """Return the port that a server has logged, as both log theirs in a line of JSON."""
    for line in log.read_text().splitlines():
        with suppress(ValueError):
            said = json.loads(line)
            if "port" in said:
                return int(said["port"])
    return None


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
