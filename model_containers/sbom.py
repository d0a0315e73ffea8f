"""The software bill of materials of each serving image: its Python packages, in CycloneDX.

``python -m model_containers.sbom`` writes them to serving/sbom, from where the Dockerfiles copy them. They say what the
hash-locked requirements say and nothing else: neither the base image's packages nor TensorRT's are in them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONTEXT = Path(__file__).parent / "serving"
FOLDER = CONTEXT / "sbom"


@dataclass(frozen=True)
class Image:
    """A serving image.

    Parameters
    ----------
    name
        What its Dockerfile is called after the dot.
    lock
        Its hash-locked requirements, in the build context.
    python
        The version of Python that it has, as markers compare it.
    """

    name: str
    lock: str
    python: str

    @property
    def sbom(self) -> Path:
        """Where its bill of materials is kept."""
        return FOLDER / f"{self.name}.cdx.json"


# The GPU images have the Python of Ubuntu 24.04.
IMAGES = (
    Image("cpu", "requirements.txt", "3.11"),
    Image("gpu", "requirements-gpu.txt", "3.12"),
    Image("gpu-cuda12", "requirements-gpu-cuda12.txt", "3.12"),
)


@dataclass(frozen=True)
class Pin:
    """One package of a lock: its name, its version, and the SHA-256 of each file that pip may install."""

    name: str
    version: str
    hashes: tuple[str, ...]


def pins(lock: str, python: str) -> Iterator[Pin]:
    """Yield what of a lock is installed on Linux with that version of Python.

    Raises
    ------
    ValueError
        If a package has no exact version or no hash.
    """
    target = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }
    text = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n?", "", lock, flags=re.MULTILINE))
    for line in filter(str.strip, text.splitlines()):
        wanted, *hashes = line.split("--hash=sha256:")
        requirement = Requirement(wanted)
        if requirement.marker is None or requirement.marker.evaluate(target):
            yield _pin(requirement, tuple(each.strip() for each in hashes))


def _pin(requirement: Requirement, hashes: tuple[str, ...]) -> Pin:
    exact = re.fullmatch(r"==([^*,]+)", str(requirement.specifier))
    if exact is None or not hashes:
        raise ValueError(f"{requirement}: not locked to one version and its hashes; run `make lock`")
    return Pin(canonicalize_name(requirement.name), exact[1], hashes)


def bill_of(image: Image) -> str:
    """Return an image's bill of materials as CycloneDX JSON, the same for the same lock."""
    lock = (CONTEXT / image.lock).read_text(encoding="utf-8")
    locked = tuple(pins(lock, image.python))
    packages = [_component(pin) for pin in locked]
    root = Component(name=f"tidegate-serving-{image.name}", type=ComponentType.CONTAINER, bom_ref=image.name)
    bom = Bom(components=packages)
    bom.metadata.component = root
    bom.metadata.timestamp = None  # type: ignore[assignment]  # the file must not change where the lock does not
    bom.register_dependency(root, packages)
    bom.serial_number = uuid5(NAMESPACE_URL, f"{image.name} {locked}")
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _component(pin: Pin) -> Component:
    """Describe a package; which of its files is installed pip decides, and it takes only one of those hashes."""
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/project/{pin.name}/{pin.version}/#files"),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in pin.hashes],
    )
    address = PackageURL("pypi", name=pin.name, version=pin.version)
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=address.to_string(),
        purl=address,
        external_references=[files],
    )


def main() -> None:
    """Write the bill of materials of every image."""
    FOLDER.mkdir(exist_ok=True)
    for image in IMAGES:
        image.sbom.write_text(bill_of(image), encoding="utf-8")


if __name__ == "__main__":
    main()
