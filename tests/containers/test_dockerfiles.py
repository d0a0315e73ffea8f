"""What can be said of the Dockerfiles without Docker."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from model_containers.sbom import IMAGES
from stacks.config.hardware import GPU_IMAGES

CONTEXT = Path(__file__).parents[2] / "model_containers" / "serving"
DOCKERFILES = sorted(CONTEXT.glob("Dockerfile.*"))
GPU_DOCKERFILES = [path for path in DOCKERFILES if path.name.startswith("Dockerfile.gpu")]
PINNED_TAG = r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*"

each = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
each_gpu = pytest.mark.parametrize("path", GPU_DOCKERFILES, ids=lambda path: path.name)


def instructions(path):
    """Return a Dockerfile's instructions as (keyword, rest), with continued lines joined and comments left out."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def values(path, keyword):
    return [rest for name, rest in instructions(path) if name == keyword]


def pairs(path, keyword):
    """Return what LABEL, ENV or ARG sets."""
    return dict(word.split("=", 1) for rest in values(path, keyword) for word in shlex.split(rest))


def lock_of(path):
    (install,) = [rest for rest in values(path, "RUN") if "pip install" in rest]
    return CONTEXT / install.rsplit("-r ", 1)[1]


def pins(lock):
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock.read_text(), re.MULTILINE))


def test_there_is_an_image_for_each_cuda_and_one_for_cpu():
    assert [path.name for path in DOCKERFILES] == ["Dockerfile.cpu", "Dockerfile.gpu", "Dockerfile.gpu-cuda12"]
    assert [path.name for path in GPU_DOCKERFILES] == list(GPU_IMAGES)


@each
def test_hadolint_finds_nothing(path):
    hadolint = Path(sys.executable).parent / "hadolint"
    found = subprocess.run([hadolint, "--no-color", path], check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


@each
def test_signals_reach_the_program(path):
    assert [json.loads(rest) for rest in values(path, "ENTRYPOINT")] == [["python", "-m", "serving"]]
    assert values(path, "CMD") == [], "SageMaker appends `serve` itself"
    assert not re.search(r"tini|dumb-init", path.read_text())


@each
def test_base_image_is_pinned(path):
    images = values(path, "FROM")
    assert images
    assert all(re.fullmatch(PINNED_TAG, image) for image in images)
    assert "latest" not in path.read_text()


@each
def test_packages_are_installed_by_hash(path):
    (install,) = [rest for rest in values(path, "RUN") if "pip install" in rest]
    entries = re.findall(r"^[\w.-]+==\S+.*?(?=^[\w.-]+==|\Z)", lock_of(path).read_text(), re.MULTILINE | re.DOTALL)

    assert "--require-hashes" in install
    assert "--only-binary=:all:" in install
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)


@each
def test_everything_copied_is_in_the_build_context(path):
    for rest in values(path, "COPY"):
        for source in rest.split()[:-1]:
            assert (CONTEXT / source).exists()


@each
def test_what_changes_most_often_is_copied_last(path):
    """So that a change of the program leaves the layers of the packages as they are."""
    kept = [f"{name} {rest}" for name, rest in instructions(path) if name == "COPY" or "pip install" in rest]
    assert [re.sub(r" .*", "", step) for step in kept] == ["COPY", "RUN", "COPY", "COPY"]
    assert kept[0] == f"COPY {lock_of(path).name} ./"
    assert kept[-1] == "COPY serving ./serving"
    assert values(path, "RUN")[-1] == "python -m compileall -q serving"


@each
def test_image_carries_the_bill_of_materials_of_its_lock(path):
    (image,) = [image for image in IMAGES if path.name == f"Dockerfile.{image.name}"]
    assert f"{image.sbom.relative_to(CONTEXT)} ./sbom.cdx.json" in values(path, "COPY")
    assert image.lock == lock_of(path).name


@each
def test_labels_say_what_is_in_the_image(path):
    labels = pairs(path, "LABEL")
    runtime = {name: version for name, version in pins(lock_of(path)).items() if name.startswith("onnxruntime")}

    assert labels["com.amazonaws.sagemaker.capabilities.accept-bind-to-port"] == "true"
    assert labels["org.opencontainers.image.title"] == path.name.replace("Dockerfile.", "tidegate-serving-")
    assert [labels["tidegate.onnxruntime"]] == list(runtime.values())


@each
def test_runs_as_root_where_the_supervisor_expects_it(path):
    assert values(path, "USER") == []
    assert values(path, "WORKDIR") == ["/opt/program"]


@each
def test_there_is_no_secret_in_the_image(path):
    set_here = pairs(path, "ENV") | pairs(path, "ARG")
    assert not [name for name in set_here if re.search(r"token|secret|passw|credential|_key|aws_", name, re.IGNORECASE)]
    assert not re.search(r"AKIA|--mount=type=secret|https?://\S+@", path.read_text())
    assert values(path, "ADD") == []


@each_gpu
def test_cuda_is_that_of_the_rules(path):
    """`stacks.config` refuses host images and instances by these."""
    rule = GPU_IMAGES[path.name]
    labels = pairs(path, "LABEL")
    (base,) = values(path, "FROM")

    assert re.fullmatch(rf"nvidia/cuda:{rule.cuda}\.\d+-cudnn-runtime-ubuntu24\.04", base)
    assert labels["tidegate.cuda"] == rule.cuda
    assert labels["tidegate.inference-ami-version"] == rule.ami


@each_gpu
def test_tensorrt_is_pinned_for_that_cuda(path):
    """ONNX Runtime's TensorRT provider loads libnvinfer.so.10."""
    labels, version = pairs(path, "LABEL"), pairs(path, "ARG")["TENSORRT_VERSION"]
    (apt,) = [rest for rest in values(path, "RUN") if "apt-get install" in rest]

    assert version == f"{labels['tidegate.tensorrt']}-1+cuda{labels['tidegate.cuda']}"
    assert version.startswith("10.")
    packages = [word for word in shlex.split(apt) if word.startswith("libnv")]
    assert packages == [
        f"{name}=${{TENSORRT_VERSION}}" for name in ("libnvinfer10", "libnvinfer-plugin10", "libnvonnxparsers10")
    ]


@each_gpu
def test_a_gpu_image_does_not_fall_back_to_the_cpu(path):
    assert pairs(path, "ENV")["TIDEGATE_DEVICE"] == "gpu"


def test_gpu_images_differ_in_names_and_versions_only():
    def neutral(path):
        text = " ".join(f"{name} {rest}" for name, rest in instructions(path))
        varying = {*pairs(path, "LABEL").values(), *values(path, "FROM")} - {"true"}
        for value in sorted(varying, key=len, reverse=True):
            text = text.replace(value, "*")
        return text.replace("gpu-cuda12", "gpu")

    one, other = map(neutral, GPU_DOCKERFILES)
    assert one == other


@each_gpu
def test_gpu_images_differ_from_the_cpu_image_in_what_a_gpu_needs_only(path):
    cpu, gpu = pins(CONTEXT / "requirements.txt"), pins(lock_of(path))
    major = pairs(path, "LABEL")["tidegate.cuda"].partition(".")[0]
    cpu.pop("onnxruntime")
    minor = int(gpu.pop("onnxruntime-gpu").split(".")[1])
    gpu.pop("nvidia-ml-py")

    assert cpu == gpu
    assert (minor <= 26) is (major == "12"), "from 1.27 on, the wheels are for CUDA 13"
