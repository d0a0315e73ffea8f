"""Which image, host image and instance type go together; SageMaker says so only by an endpoint that never starts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stacks.config.instances import BLACKWELL_FAMILIES, family
from stacks.config.model import AmiVersion, Dockerfile, Endpoint, Fleet
from stacks.config.problems import Problem

_BLACKWELL_DRIVER = 570  # the first of NVIDIA's branches that knows these GPUs


@dataclass(frozen=True)
class GpuImage:
    """A serving image for GPUs.

    Parameters
    ----------
    cuda
        The CUDA in it.
    driver
        The oldest branch of NVIDIA's drivers that runs it: that of its major version of CUDA.
    ami
        The host image that it is made for.
    """

    cuda: str
    driver: int
    ami: AmiVersion


@dataclass(frozen=True)
class Host:
    """A host image, as `ProductionVariant.InferenceAmiVersion` in SageMaker's API reference describes it.

    Parameters
    ----------
    driver
        Branch of NVIDIA's driver.
    families
        Instance families that it is confirmed to run on: where it is the default (SageMaker's page on GPU driver
        upgrades), and what AWS's own containers, samples and libraries deploy to with it. That page may list more.
    """

    driver: int
    families: tuple[str, ...]


GPU_IMAGES: dict[Dockerfile, GpuImage] = {
    "Dockerfile.gpu": GpuImage("13.0", 580, "al2023-ami-sagemaker-inference-gpu-4-1"),
    "Dockerfile.gpu-cuda12": GpuImage("12.9", 525, "al2-ami-sagemaker-inference-gpu-3-1"),
}
HOSTS: dict[AmiVersion, Host] = {
    "al2-ami-sagemaker-inference-gpu-2": Host(535, ("g4dn", "g5", "g6", "p4d", "p4de", "p5")),
    "al2-ami-sagemaker-inference-gpu-2-1": Host(535, ("g4dn", "g5", "g6", "p4d", "p4de", "p5")),
    "al2-ami-sagemaker-inference-gpu-3-1": Host(550, ("g4dn", "g5", "g6", "g6e", "p5e", "p5en")),
    "al2023-ami-sagemaker-inference-gpu-4-1": Host(
        580, ("g4dn", "g5", "g6", "g6e", "g7e", "p4d", "p4de", "p5", "p5e", "p5en")
    ),
}
_NEWEST: Dockerfile = "Dockerfile.gpu"


def hardware_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Yield what does not go together in an endpoint's fleet."""
    fleet = endpoint.fleet
    yield from _image(fleet)
    if not fleet.has_gpu:
        yield from _no_driver(fleet)
    elif fleet.inference_ami_version is None:
        yield _missing_driver(fleet)
    else:
        for rule in _DRIVER_RULES:
            yield from rule(fleet, fleet.inference_ami_version)


def _image(fleet: Fleet) -> Iterator[Problem]:
    kind, fitting = ("GPU", _NEWEST) if fleet.has_gpu else ("CPU", "Dockerfile.cpu")
    if (fleet.image.dockerfile in GPU_IMAGES) is not fleet.has_gpu:
        yield Problem(
            "fleet.image.dockerfile",
            fleet.image.dockerfile,
            f"{fleet.instance_type} is a {kind} instance type and this image is not for it",
            f"write {fitting}, or choose another instance type",
        )


def _no_driver(fleet: Fleet) -> Iterator[Problem]:
    """A CPU instance has no driver to choose."""
    if fleet.inference_ami_version is not None:
        yield Problem(
            "fleet.inference_ami_version",
            fleet.inference_ami_version,
            f"{fleet.instance_type} has no GPU for this host image's driver",
            "remove it, or choose a GPU instance type",
        )
    if fleet.unlisted_ami:
        yield _needless(fleet, "there is no host image to be listed")


def _missing_driver(fleet: Fleet) -> Problem:
    return Problem(
        "fleet.inference_ami_version",
        None,
        f"{fleet.instance_type} has GPUs, and without this AWS may give it a driver too old for the image's CUDA",
        f"write {_wanted(fleet).ami}",
    )


def _wanted(fleet: Fleet) -> GpuImage:
    """Return the fleet's GPU image; that of a fleet with the CPU image, which is another problem, is the newest."""
    return GPU_IMAGES.get(fleet.image.dockerfile, GPU_IMAGES[_NEWEST])


def _image_on_host(fleet: Fleet, ami: AmiVersion) -> Iterator[Problem]:
    image = GPU_IMAGES.get(fleet.image.dockerfile)
    if image is None or image.ami == ami:
        return
    driver = HOSTS[ami].driver
    if driver < image.driver:
        reason = f"has driver {driver}, and CUDA {image.cuda} in {fleet.image.dockerfile} needs {image.driver}"
    else:
        # AWS's own containers of CUDA 12.9 stayed `Creating` on gpu-4-1, without a line of log.
        reason = f"is not what {fleet.image.dockerfile} (CUDA {image.cuda}) is made for; it may never start there"
    yield Problem("fleet.inference_ami_version", ami, f"this host image {reason}", _way_to(image, ami))


def _way_to(image: GpuImage, ami: AmiVersion) -> str:
    others = [f", or image.dockerfile: {name}" for name, other in GPU_IMAGES.items() if other.ami == ami]
    return f"write {image.ami}" + "".join(others)


def _host_on_instance(fleet: Fleet, ami: AmiVersion) -> Iterator[Problem]:
    host, kind = HOSTS[ami], family(fleet.instance_type)
    listed = kind in host.families
    if kind in BLACKWELL_FAMILIES and host.driver < _BLACKWELL_DRIVER:
        newest = GPU_IMAGES[_NEWEST].ami
        yield Problem(
            "fleet.inference_ami_version",
            ami,
            f"the Blackwell GPUs of {fleet.instance_type} need driver {_BLACKWELL_DRIVER}, and this has {host.driver}",
            f"write {newest} and image.dockerfile: {_NEWEST}, or choose another instance type",
        )
    elif not listed and not fleet.unlisted_ami:
        yield Problem(
            "fleet.inference_ami_version",
            ami,
            f"it is confirmed for {', '.join(host.families)}, and not for {kind}",
            f"look {kind} up in SageMaker's page on GPU driver upgrades; if it is there, write unlisted_ami: true",
        )
    elif listed and fleet.unlisted_ami:
        yield _needless(fleet, f"{ami} is listed for {kind}")


def _needless(fleet: Fleet, reason: str) -> Problem:
    return Problem("fleet.unlisted_ami", fleet.unlisted_ami, reason, "remove unlisted_ami:")


_DRIVER_RULES: tuple[Callable[[Fleet, AmiVersion], Iterator[Problem]], ...] = (_image_on_host, _host_on_instance)
