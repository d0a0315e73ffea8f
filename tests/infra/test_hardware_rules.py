"""Image, host image and instance type that do not go together are refused before SageMaker waits for them in vain."""

import re
from typing import Any, get_args

import botocore.session
import pytest
import yaml

from stacks.config import ENVIRONMENTS, ConfigError, load_environment
from stacks.config.hardware import GPU_IMAGES, HOSTS
from stacks.config.instances import ENDPOINT_TYPES, GPU_FAMILIES, family
from stacks.config.model import AmiVersion, Dockerfile, Endpoint

CUDA_13, CUDA_12, CPU = "Dockerfile.gpu", "Dockerfile.gpu-cuda12", "Dockerfile.cpu"
DRIVER_580, DRIVER_550 = "al2023-ami-sagemaker-inference-gpu-4-1", "al2-ami-sagemaker-inference-gpu-3-1"
DRIVER_535 = "al2-ami-sagemaker-inference-gpu-2"
SMALLEST = {family(each): each for each in reversed(ENDPOINT_TYPES)}


@pytest.fixture
def loaded(tmp_path):
    """Load the environment dev with the given parts of its fleet changed."""

    def load(dockerfile: str, instance_type: str, ami: str | None, **more: Any) -> Endpoint:
        body = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
        fleet = body["endpoints"][0]["fleet"]
        fleet["image"]["dockerfile"] = dockerfile
        fleet |= {"instance_type": instance_type, "inference_ami_version": ami, **more}
        (tmp_path / "dev.yaml").write_text(yaml.safe_dump(body))
        return load_environment("dev", tmp_path).endpoints[0]

    return load


@pytest.fixture
def refusal(loaded):
    """Return the one problem of such a fleet, after ``endpoints[0].fleet.``."""

    def load(*given: Any, **more: Any) -> str:
        with pytest.raises(ConfigError) as caught:
            loaded(*given, **more)
        (problem,) = map(str, caught.value.problems)
        return problem.removeprefix("endpoints[0].fleet.")

    return load


@pytest.mark.parametrize(
    ("given", "field", "reason", "way_out"),
    [
        (
            (CUDA_13, "ml.g5.xlarge", DRIVER_550),
            "inference_ami_version",
            "this host image has driver 550, and CUDA 13.0 in Dockerfile.gpu needs 580",
            f"write {DRIVER_580}, or image.dockerfile: {CUDA_12}",
        ),
        (
            (CUDA_13, "ml.g5.xlarge", DRIVER_535),
            "inference_ami_version",
            "this host image has driver 535, and CUDA 13.0 in Dockerfile.gpu needs 580",
            f"write {DRIVER_580}",
        ),
        (
            (CUDA_12, "ml.g5.xlarge", DRIVER_580),
            "inference_ami_version",
            "this host image is not what Dockerfile.gpu-cuda12 (CUDA 12.9) is made for; it may never start there",
            f"write {DRIVER_550}, or image.dockerfile: {CUDA_13}",
        ),
        (
            (CUDA_12, "ml.g5.xlarge", DRIVER_535),
            "inference_ami_version",
            "this host image is not what Dockerfile.gpu-cuda12 (CUDA 12.9) is made for; it may never start there",
            f"write {DRIVER_550}",
        ),
        (
            (CPU, "ml.g5.xlarge", DRIVER_580),
            "image.dockerfile",
            "ml.g5.xlarge is a GPU instance type and this image is not for it",
            f"write {CUDA_13}, or choose another instance type",
        ),
        (
            (CUDA_13, "ml.m5.large", None),
            "image.dockerfile",
            "ml.m5.large is a CPU instance type and this image is not for it",
            f"write {CPU}, or choose another instance type",
        ),
        (
            (CUDA_12, "ml.m5.large", None),
            "image.dockerfile",
            "ml.m5.large is a CPU instance type and this image is not for it",
            f"write {CPU}, or choose another instance type",
        ),
        (
            (CUDA_13, "ml.g5.xlarge", None),
            "inference_ami_version",
            "ml.g5.xlarge has GPUs, and without this AWS may give it a driver too old for the image's CUDA",
            f"write {DRIVER_580}",
        ),
        (
            (CUDA_12, "ml.g5.xlarge", None),
            "inference_ami_version",
            "ml.g5.xlarge has GPUs, and without this AWS may give it a driver too old for the image's CUDA",
            f"write {DRIVER_550}",
        ),
        (
            (CPU, "ml.m5.large", DRIVER_580),
            "inference_ami_version",
            "ml.m5.large has no GPU for this host image's driver",
            "remove it, or choose a GPU instance type",
        ),
        (
            (CUDA_12, "ml.g7e.2xlarge", DRIVER_550),
            "inference_ami_version",
            "the Blackwell GPUs of ml.g7e.2xlarge need driver 570, and this has 550",
            f"write {DRIVER_580} and image.dockerfile: {CUDA_13}, or choose another instance type",
        ),
        (
            (CUDA_12, "ml.p4d.24xlarge", DRIVER_550),
            "inference_ami_version",
            "it is confirmed for g4dn, g5, g6, g6e, p5e, p5en, and not for p4d",
            "look p4d up in SageMaker's page on GPU driver upgrades; if it is there, write unlisted_ami: true",
        ),
        (
            (CUDA_13, "ml.g7.2xlarge", DRIVER_580),
            "inference_ami_version",
            "it is confirmed for g4dn, g5, g6, g6e, g7e, p4d, p4de, p5, p5e, p5en, and not for g7",
            "look g7 up in SageMaker's page on GPU driver upgrades; if it is there, write unlisted_ami: true",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(refusal, given, field, reason, way_out):
    text = refusal(*given)
    assert text.startswith(f"{field}: ")
    assert text.endswith(f"; {reason}. Way out: {way_out}")


@pytest.mark.parametrize(
    ("dockerfile", "instance_type", "ami"),
    [(name, SMALLEST[kind], image.ami) for name, image in GPU_IMAGES.items() for kind in HOSTS[image.ami].families]
    + [(CPU, "ml.m5.large", None)],
)
def test_what_is_listed_together_is_taken(loaded, dockerfile, instance_type, ami):
    assert loaded(dockerfile, instance_type, ami).fleet.inference_ami_version == ami


@pytest.mark.parametrize(
    "given", [(CUDA_12, "ml.p4d.24xlarge", DRIVER_550), (CUDA_13, "ml.g7.2xlarge", DRIVER_580)], ids=["p4d", "g7"]
)
def test_what_is_not_listed_is_taken_when_the_file_says_so(loaded, given):
    assert loaded(*given, unlisted_ami=True).fleet.inference_ami_version == given[-1]


def test_saying_so_does_not_help_against_a_driver_that_is_too_old(refusal):
    assert "need driver 570" in refusal(CUDA_12, "ml.g7e.2xlarge", DRIVER_550, unlisted_ami=True)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ((CUDA_13, "ml.g5.xlarge", DRIVER_580), f"{DRIVER_580} is listed for g5"),
        ((CPU, "ml.m5.large", None), "there is no host image to be listed"),
    ],
)
def test_saying_so_needlessly_is_refused(refusal, given, reason):
    text = refusal(*given, unlisted_ami=True)
    assert text == f"unlisted_ami: True is not allowed; {reason}. Way out: remove unlisted_ami:"


def test_every_problem_of_a_fleet_is_told(loaded):
    with pytest.raises(ConfigError) as caught:
        loaded(CUDA_13, "ml.g7e.2xlarge", DRIVER_550)
    assert len(caught.value.problems) == 2


def test_every_choice_of_the_file_is_in_the_tables():
    assert set(HOSTS) == set(get_args(AmiVersion))
    assert {*GPU_IMAGES, CPU} == set(get_args(Dockerfile))
    assert {kind for host in HOSTS.values() for kind in host.families} <= set(GPU_FAMILIES)
    assert all(image.driver <= HOSTS[image.ami].driver for image in GPU_IMAGES.values())


def test_host_images_and_drivers_are_those_of_the_api_reference():
    """The documentation comes with botocore, in the model of the service."""
    service = botocore.session.get_session().get_service_model("sagemaker")
    members = service.shape_for("ProductionVariant").members
    entries = re.findall(r"<dt>([\w-]+)</dt>(.+?)</dd>", members["InferenceAmiVersion"].documentation, re.DOTALL)
    drivers = {name: re.search(r"NVIDIA driver version: (\d+)", text) for name, text in entries}
    assert {name: int(found[1]) for name, found in drivers.items() if found} == {
        name: host.driver for name, host in HOSTS.items()
    }
