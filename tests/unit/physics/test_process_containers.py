"""Real processes: a small server in the place of an image."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from localcloud.clock import RealClock
from localcloud.physics.cloudwatch import MetricStore
from localcloud.physics.containers import ProcessContainers
from localcloud.physics.endpoints import SageMakerService
from localcloud.physics.images import ImageRegistry
from localcloud.physics.ports import (
    ContainerTimeoutError,
    ContainerUnreachableError,
    ImageMissingError,
    ModelArchiveError,
)
from localcloud.physics.runtime import RuntimeService
from localcloud.physics.settings import PhysicsSettings
from localcloud.physics.testing import MemoryObjects, RecordedEvents

SERVER = """
import http.server, json, os, signal, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(503 if os.path.exists(os.environ.get("UNHEALTHY", "/nowhere")) else 200, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"crash":
            os._exit(3)
        if body == b"sleep":
            time.sleep(5)
        seen = dict(os.environ, ARGV=" ".join(sys.argv[1:]), CWD=os.getcwd(), PID=str(os.getpid()))
        self.answer(200, json.dumps(seen).encode())

    def log_message(self, *args):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

if os.environ.get("STUBBORN"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *args: (print("terminated", flush=True), os._exit(0)))
print("listening", flush=True)
Server(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""
DOCKERFILE = """
FROM python:3.12-slim
WORKDIR /opt/program
ENV GREETING=hello PYTHONPATH=/opt/program/lib
COPY server.py /opt/program/
ENTRYPOINT ["python", "server.py"]
"""


def _archive(name: str = "model.txt", content: bytes = b"weights") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _wait_for(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


class Logs:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []

    def __call__(self, group: str, stream: str, lines: list[tuple[int, str]]) -> None:
        self.lines += [(group, stream, text) for _, text in lines]


@pytest.fixture
def registry(tmp_path: Path) -> ImageRegistry:
    folder = tmp_path / "image"
    folder.mkdir()
    (folder / "server.py").write_text(SERVER)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    images = ImageRegistry()
    images.register("repo/server:1", folder)
    return images


@pytest.fixture
def logs() -> Logs:
    return Logs()


@pytest.fixture
def containers(registry: ImageRegistry, tmp_path: Path, logs: Logs) -> Iterator[ProcessContainers]:
    settings = PhysicsSettings(stop_grace_seconds=3, restart_first_seconds=0.05, ping_seconds=0.05)
    runner = ProcessContainers(registry, tmp_path / "work", logs=logs, settings=settings)
    yield runner
    runner.stop_all()


def _start(containers: ProcessContainers, environment: dict[str, str] | None = None) -> Any:
    container = containers.start("repo/server:1", _archive(), environment or {}, "rain/blue/i-1")
    _wait_for(container.ping)
    return container


def _ask(container: Any, body: bytes = b"", timeout: float = 60.0) -> dict[str, str]:
    status, headers, answer = container.invoke(body, {"Content-Type": "text/csv"}, timeout)
    assert (status, headers["content-type"]) == (200, "application/json")
    return dict(json.loads(answer))


def test_container_runs_as_sagemaker_would_run_it(
    containers: ProcessContainers, registry: ImageRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for containers")
    seen = _ask(_start(containers, {"THREADS": "2"}))
    folder = str(registry.get("repo/server:1").folder)
    assert (seen["ARGV"], seen["CWD"]) == ("serve", folder)
    assert (seen["GREETING"], seen["THREADS"], seen["PYTHONPATH"]) == ("hello", "2", f"{folder}/lib")
    assert "AWS_SECRET_ACCESS_KEY" not in seen
    model = Path(seen["SM_MODEL_DIR"])
    assert (model / "model.txt").read_bytes() == b"weights"
    assert (model.stat().st_mode & 0o222, (model / "model.txt").stat().st_mode & 0o222) == (0, 0)
    assert sorted(os.listdir(folder)) == ["Dockerfile", "server.py"]


def test_container_is_healthy_only_once_ping_answers_200(containers: ProcessContainers, tmp_path: Path) -> None:
    switch = tmp_path / "unhealthy"
    switch.touch()
    container = containers.start("repo/server:1", None, {"UNHEALTHY": str(switch)}, "rain/blue/i-1")
    _wait_for(lambda: container.alive)
    time.sleep(0.5)
    assert not container.ping()
    switch.unlink()
    _wait_for(container.ping)


def test_crashed_container_comes_back_and_old_connections_do_not_disturb(containers: ProcessContainers) -> None:
    container = _start(containers)
    before = _ask(container)["PID"]
    with pytest.raises(ContainerUnreachableError):
        container.invoke(b"crash", {}, 5.0)
    _wait_for(lambda: container.restarts == 1 and container.ping())
    assert _ask(container)["PID"] != before
    assert _ask(container)["SM_MODEL_DIR"]


def test_stop_sends_sigterm_and_what_ignores_it_is_killed(containers: ProcessContainers, logs: Logs) -> None:
    polite = _start(containers)
    model = Path(_ask(polite)["SM_MODEL_DIR"])
    polite.stop()
    polite.join()
    _wait_for(lambda: any("terminated" in text for _, _, text in logs.lines))
    assert not model.exists()
    stubborn = _start(containers, {"STUBBORN": "1"})
    pid = stubborn.pid
    stubborn.stop()
    stubborn.join()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
    assert containers.running() == []


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux alone kills orphans on request")
def test_no_container_outlives_a_cloud_that_is_killed(registry: ImageRegistry, tmp_path: Path) -> None:
    folder = registry.get("repo/server:1").folder
    script = (
        "import time; from pathlib import Path; from localcloud.physics.images import ImageRegistry\n"
        "from localcloud.physics.containers import ProcessContainers\n"
        f"images = ImageRegistry(); images.register('i', Path({str(folder)!r}))\n"
        f"c = ProcessContainers(images, Path({str(tmp_path)!r}) / 'w').start('i', None, {{}}, 'e/v/i')\n"
        "while not c.ping(): time.sleep(0.02)\n"
        "print(c.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as cloud:
        assert cloud.stdout is not None
        pid = int(cloud.stdout.readline())
        cloud.kill()
    _wait_for(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2])


def test_output_goes_to_a_file_and_to_the_endpoints_log_group(
    containers: ProcessContainers, logs: Logs, tmp_path: Path
) -> None:
    _start(containers)
    _wait_for(lambda: ("/aws/sagemaker/Endpoints/rain", "blue/i-1", "listening") in logs.lines)
    assert "listening" in (tmp_path / "work/logs/rain/blue/i-1.log").read_text()


def test_a_slow_answer_times_out(containers: ProcessContainers) -> None:
    container = _start(containers)
    with pytest.raises(ContainerTimeoutError):
        container.invoke(b"sleep", {}, 0.2)


def test_unknown_images_and_broken_archives_are_told_apart(containers: ProcessContainers) -> None:
    with pytest.raises(ImageMissingError):
        containers.start("repo/server:2", None, {}, "rain/blue/i-1")
    for broken in (b"not a tar", _archive()[:40]):
        with pytest.raises(ModelArchiveError):
            containers.start("repo/server:1", broken, {}, "rain/blue/i-1")
    with pytest.raises(ModelArchiveError):
        containers.start("repo/server:1", _archive("../outside.txt"), {}, "rain/blue/i-1")
    assert containers.running() == []


def test_endpoint_of_real_containers_is_updated_under_traffic_without_one_failure(
    containers: ProcessContainers,
) -> None:
    clock, objects = RealClock(), MemoryObjects({"s3://m/m.tar.gz": _archive()})
    clock.start()
    metrics = MetricStore(clock)
    sagemaker = SageMakerService(
        clock,
        PhysicsSettings(create_seconds=0.1, update_seconds=0.1, ping_seconds=0.05),
        account="123456789012",
        region="us-east-1",
        emit=RecordedEvents(),
        metrics=metrics,
        objects=objects,
        containers=containers,
    )
    calls = {**sagemaker.operations(), **RuntimeService(sagemaker, clock, metrics).operations()}
    container = {"Image": "repo/server:1", "ModelDataUrl": "s3://m/m.tar.gz"}
    calls["CreateModel"]({"ModelName": "m", "PrimaryContainer": container})
    variant = {"VariantName": "blue", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.g5.xlarge"}
    for name in ("first", "second"):
        calls["CreateEndpointConfig"]({"EndpointConfigName": name, "ProductionVariants": [variant]})
    config = {"EndpointName": "rain", "EndpointConfigName": "first"}

    def in_service(config_name: str) -> bool:
        described = calls["DescribeEndpoint"]({"EndpointName": "rain"}) or {}
        return (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", config_name)

    def pid(_: int) -> str:
        answer = calls["InvokeEndpoint"]({"EndpointName": "rain", "Body": b"x"}) or {}
        return str(json.loads(answer["Body"])["PID"])

    calls["CreateEndpoint"](config)
    _wait_for(lambda: in_service("first"))
    with ThreadPoolExecutor(4) as clients:
        calls["UpdateEndpoint"]({**config, "EndpointConfigName": "second"})
        seen = set()
        while not in_service("second"):
            seen |= set(clients.map(pid, range(20)))
        seen |= set(clients.map(pid, range(20)))
    assert len(seen) == 2
    _wait_for(lambda: len(containers.running()) == 1)
    calls["DeleteEndpoint"]({"EndpointName": "rain"})
    _wait_for(lambda: not containers.running())
    clock.stop()
