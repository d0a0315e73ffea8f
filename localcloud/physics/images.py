"""Container images, as the folders and Dockerfiles that they would be built from."""

import threading
from dataclasses import dataclass
from pathlib import Path

from localcloud.physics.dockerfile import Dockerfile, parse_dockerfile
from localcloud.physics.ports import ImageMissingError


@dataclass(frozen=True)
class Image:
    """An image that is run from its build context instead of being built."""

    uri: str
    folder: Path
    dockerfile: Dockerfile


class ImageRegistry:
    """Images by URI, in place of ECR."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._images: dict[str, Image] = {}

    def register(self, uri: str, folder: Path, dockerfile: str = "Dockerfile") -> None:
        """Make the build context `folder` available as the image `uri`.

        Raises
        ------
        DockerfileError
            If the Dockerfile cannot be run without Docker, and why.
        """
        image = Image(uri, folder.resolve(), parse_dockerfile((folder / dockerfile).read_text(encoding="utf-8")))
        with self._lock:
            self._images[uri] = image

    def get(self, uri: str) -> Image:
        """Return the image, or raise `ImageMissingError`."""
        with self._lock:
            image = self._images.get(uri)
        if image is None:
            raise ImageMissingError(uri)
        return image

    def uris(self) -> list[str]:
        """Return the URIs of all images."""
        with self._lock:
            return sorted(self._images)
