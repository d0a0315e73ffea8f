"""What can be said of the Dockerfiles without Docker."""

import json
import re
from pathlib import Path

import pytest

CONTEXT = Path(__file__).parents[2] / "model_containers" / "serving"
DOCKERFILES = sorted(CONTEXT.glob("Dockerfile.*"))


def instructions(path):
    """Return a Dockerfile's instructions as (keyword, rest), with continued lines joined and comments left out."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def values(path, keyword):
    return [rest for name, rest in instructions(path) if name == keyword]


def test_there_is_an_image_for_cpu_and_one_for_gpu():
    assert [path.name for path in DOCKERFILES] == ["Dockerfile.cpu", "Dockerfile.gpu"]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_signals_reach_the_program(path):
    assert [json.loads(rest) for rest in values(path, "ENTRYPOINT")] == [["python", "-m", "serving"]]
    assert not re.search(r"tini|dumb-init", path.read_text())


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_base_image_is_pinned(path):
    for image in values(path, "FROM"):
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*", image)


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_packages_are_installed_by_hash(path):
    (install,) = [rest for rest in values(path, "RUN") if "pip install" in rest]
    lock = CONTEXT / install.rsplit("-r ", 1)[1]
    pins = re.findall(r"^[\w.-]+==\S+.*?(?=^[\w.-]+==|\Z)", lock.read_text(), re.MULTILINE | re.DOTALL)

    assert "--require-hashes" in install
    assert pins
    assert all("--hash=sha256:" in pin for pin in pins)


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_everything_copied_is_in_the_build_context(path):
    for rest in values(path, "COPY"):
        for source in rest.split()[:-1]:
            assert (CONTEXT / source).exists()


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_runs_as_root_where_the_supervisor_expects_it(path):
    assert values(path, "USER") == []
    assert values(path, "WORKDIR") == ["/opt/program"]


def test_gpu_image_differs_from_the_cpu_image_in_onnx_runtime_only():
    pins = [
        dict(re.findall(r"^([\w.-]+)==([\w.]+)", (CONTEXT / name).read_text(), re.MULTILINE))
        for name in ("requirements.txt", "requirements-gpu.txt")
    ]
    cpu, gpu = pins

    assert cpu.pop("onnxruntime") == gpu.pop("onnxruntime-gpu")
    assert cpu == gpu
