"""How an image's program is run on this machine: its environment and its command line."""

import os
from collections.abc import Mapping
from pathlib import Path

from localcloud.physics.images import Image

# What a process on this machine needs of its surroundings; credentials and endpoints stay out, as in a container.
_INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


def image_environment(image: Image, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the image's variables with `environment` over them; its WORKDIR stands for the build context."""
    work_dir = image.dockerfile.work_dir.rstrip("/")
    here = {**image.dockerfile.environment, **environment}
    if work_dir:
        here = {key: value.replace(work_dir, str(image.folder)) for key, value in here.items()}
    inherited = {key: os.environ[key] for key in _INHERITED if key in os.environ}
    # Without this, byte code would be written into the asset's own folder and change its hash.
    return {**inherited, "PYTHONDONTWRITEBYTECODE": "1", **here}


def local_command(command: list[str], python: str) -> list[str]:
    """Return the command with the local interpreter in the place of a leading ``python``."""
    if Path(command[0]).name in ("python", "python3"):
        return [python, *command[1:]]
    return command
