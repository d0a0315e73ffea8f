"""Real model artefacts and real server processes for the container tests."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTEXT = ROOT / "model_containers" / "serving"
PATIENCE = 60.0


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        return json.loads(self.body)


class ServerProcess:
    """The container's program, started as its Dockerfile starts it."""

    def __init__(self, model_dir: Path, log: Path, **environment: str) -> None:
        self._log = log
        variables = os.environ | {"SAGEMAKER_BIND_TO_PORT": "0", "SM_MODEL_DIR": str(model_dir)} | environment
        with log.open("wb") as output:
            command = [sys.executable, "-m", "serving", "serve"]
            self._process = subprocess.Popen(command, cwd=CONTEXT, env=variables, stdout=output)

    def lines(self) -> list[dict[str, object]]:
        """Return its log so far; each line must be JSON."""
        return [json.loads(line) for line in self._log.read_text().splitlines(keepends=True) if line.endswith("\n")]

    @property
    def port(self) -> int:
        self.wait_until(lambda: any("port" in line for line in self.lines()))
        return next(int(str(line["port"])) for line in self.lines() if "port" in line)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self._process.poll() is None, f"the server ended: {self._log.read_text()}"
            assert time.monotonic() < deadline, f"waited in vain: {self._log.read_text()}"
            time.sleep(0.01)

    def ready(self) -> "ServerProcess":
        self.wait_until(lambda: self.get("/ping").status == 200)
        return self

    def get(self, path: str) -> Reply:
        return self.request("GET", path)

    def invoke(self, body: str | bytes, content_type: str = "text/csv", **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", "/invocations", body, {"Content-Type": content_type} | named)

    def request(
        self, method: str, path: str, body: str | bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def exit_status(self) -> int:
        return self._process.wait(PATIENCE)

    def end(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()


@pytest.fixture(scope="session")
def artefacts(models: Path) -> Path:
    """The built versions."""
    return models


@pytest.fixture(scope="session")
def unpacked(artefacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Unpack a version's archive as SageMaker does, and return the folder."""

    def unpack(version: str) -> Path:
        folder = tmp_path_factory.mktemp(f"model-{version}-")
        with tarfile.open(artefacts / version / "model.tar.gz") as archive:
            archive.extractall(folder, filter="data")
        return folder

    return unpack


Start = Callable[..., ServerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers that end with the test."""
    servers: list[ServerProcess] = []

    def launch(model_dir: Path, **environment: str) -> ServerProcess:
        servers.append(ServerProcess(model_dir, tmp_path / f"server-{len(servers)}.log", **environment))
        return servers[-1]

    yield launch
    for server in servers:
        server.end()


@pytest.fixture(scope="module")
def bootstrap(unpacked: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of version 1.0.0, for requests that leave no trace."""
    server = ServerProcess(unpacked("1.0.0"), tmp_path_factory.mktemp("bootstrap") / "server.log")
    yield server.ready()
    server.end()
