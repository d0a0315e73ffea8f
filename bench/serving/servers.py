"""The servers that are compared, each as its documentation has it started."""

import json
import socket
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.servers import SERVING_CONTEXT
from bench.serving import triton, venvs, wire
from bench.serving.models import Case
from bench.serving.peers.bench_model import MAX_BATCH
from bench.serving.wire import Dialect

CONTAINER = "this container"
RAW = "raw ONNX Runtime"
LITSERVE, BENTOML, MOSEC = "LitServe", "BentoML", "mosec"
# Triton's backend looks for libpython by itself, and would find another Python's.
_LIBRARIES = str(sysconfig.get_config_var("LIBDIR") or "")
_SLEEPING_CONTAINER = Path(__file__).with_name("sleeping_container.py")


@dataclass(frozen=True)
class Setting:
    """What a server is started for.

    Parameters
    ----------
    case
        The model.
    format
        The bodies' format.
    port
        Where to listen, on loopback.
    folder
        A scratch folder of its own.
    """

    case: Case
    format: str
    port: int
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What every peer's program is told."""
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        told = {"SM_MODEL_DIR": str(self.case.folder), "BENCH_FORMAT": self.format, "BENCH_PORT": str(self.port)}
        return {**one_thread, **told, "PYTHONPATH": str(venvs.PEERS)}


@dataclass(frozen=True)
class Launch:
    """A command, where it runs and with what environment."""

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Server:
    """One of the compared servers.

    Parameters
    ----------
    name
        As tables show it.
    launch
        How it is started.
    dialect
        How it is spoken to.
    formats
        The formats that it can be sent.
    install
        Called first; raises `venvs.InstallError`.
    """

    name: str
    launch: Callable[[Setting], Launch]
    dialect: Dialect = field(default_factory=wire.invocations)
    formats: Sequence[str] = wire.FORMATS
    install: Callable[[], object] = lambda: None


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def container(context: Path = SERVING_CONTEXT) -> Server:
    """Return the serving container's program; for a simulated GPU, with a session that sleeps."""

    def launch(setting: Setting) -> Launch:
        program = [str(_SLEEPING_CONTAINER)] if setting.case.sleeps else ["-m", "serving"]
        environment = {
            "SAGEMAKER_BIND_TO_PORT": str(setting.port),
            "SM_MODEL_DIR": str(setting.case.folder),
            "PYTHONPATH": f"{context}:{venvs.PEERS}" if setting.case.sleeps else "",
        }
        return Launch([sys.executable, *program, "serve"], context, environment)

    return Server(CONTAINER, launch)


def _peer(name: str, environment: str, command: Callable[[Setting], Sequence[str]], **more: object) -> Server:
    """Return a server in its own environment; the command's first word is a program of that environment."""

    def launch(setting: Setting) -> Launch:
        program, *arguments = command(setting)
        path = venvs.python(environment).with_name(program)
        # Some find their own programs on the path.
        search = {"PATH": f"{path.parent}:/usr/local/bin:/usr/bin:/bin"}
        return Launch([str(path), *arguments], setting.folder, {**setting.environment, **search})

    return Server(name, launch, install=lambda: venvs.python(environment), **more)  # type: ignore[arg-type]


def _script(name: str) -> str:
    return str(venvs.PEERS / f"{name}_server.py")


def _mosec(setting: Setting) -> Sequence[str]:
    where = ["--address", "127.0.0.1", "--port", str(setting.port)]
    return ["python", _script("mosec"), *where, "--timeout", "60000", "--log-level", "warning"]


def _bentoml(setting: Setting) -> Sequence[str]:
    return ["bentoml", "serve", "bentoml_server:Bench", "--host", "127.0.0.1", "--port", str(setting.port)]


def _fastapi(setting: Setting) -> Sequence[str]:
    return ["uvicorn", "fastapi_server:app", "--port", str(setting.port)]


def _mlserver(setting: Setting) -> Sequence[str]:
    port = setting.port
    server = {"host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    # Without its pool of workers the model would run within the event loop, which is for models that take no time.
    settings = {**server, "parallel_workers": 1, "gzip_enabled": False, "debug": False}
    model = {"name": "bench", "implementation": "mlserver_server.Bench"}
    batching = {"max_batch_size": MAX_BATCH, "max_batch_time": 0.001}
    (setting.folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    (setting.folder / "model-settings.json").write_text(json.dumps({**model, **batching}), encoding="utf-8")
    return ["mlserver", "start", str(setting.folder)]


def _triton(setting: Setting) -> Launch:
    python = venvs.python("triton")
    distribution = triton.distribution(python)
    repository = triton.write_repository(setting.folder, setting.case, distribution)
    environment = {**setting.environment, "LD_LIBRARY_PATH": _LIBRARIES}
    command = triton.command(repository, distribution, setting.port)
    return Launch(command, triton.packages(distribution), environment)


def all_servers(context: Path = SERVING_CONTEXT) -> list[Server]:
    """Return this container and every peer."""
    return [
        container(context),
        _peer(MOSEC, "mosec", _mosec, dialect=wire.invocations(dict.fromkeys(wire.FORMATS, "/inference"))),
        Server("Triton (Python backend)", _triton, wire.v2(triton.MODEL), install=lambda: venvs.python("triton")),
        _peer(
            "FastAPI, naive",
            "fastapi",
            _fastapi,
            dialect=wire.invocations({wire.JSON: "/invocations", wire.NPY: "/npy"}),
        ),
        _peer(LITSERVE, "litserve", lambda _: ["python", _script("litserve")]),
        _peer(BENTOML, "bentoml", _bentoml, dialect=wire.upload("files")),
        # Its REST interface reads JSON only.
        _peer("MLServer", "mlserver", _mlserver, dialect=wire.v2("bench"), formats=(wire.JSON,)),
    ]
