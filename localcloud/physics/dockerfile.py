"""As much of a Dockerfile as it takes to run its program without Docker."""

import copy
import json
import re
import shlex
from dataclasses import dataclass, field

# These describe the image's own file system and drivers, so they would mislead a process outside of it.
_IMAGE_ONLY_VARIABLES = frozenset({"PATH", "LD_LIBRARY_PATH", "HOME", "VIRTUAL_ENV"})
_REFERENCE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")


class DockerfileError(ValueError):
    """The Dockerfile does something that running from a folder cannot honour."""


@dataclass
class Dockerfile:
    """What an image's last stage says about the process that it runs."""

    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    work_dir: str = "/"

    def program(self, *arguments: str) -> list[str]:
        """Return the command line of ``docker run image arguments``: arguments take the place of CMD."""
        return [*self.entrypoint, *(arguments or self.command)]


class _Stage(Dockerfile):
    """The stage being read: values of ARG are known here and nowhere else."""

    def __init__(self, arguments: dict[str, str]) -> None:
        super().__init__()
        self.arguments = dict(arguments)

    def expand(self, text: str) -> str:
        """Replace ``$NAME``, ``${NAME}`` and ``${NAME:-default}``."""
        known = {**self.arguments, **self.environment}
        return _REFERENCE.sub(lambda found: known.get(found[1] or found[3], found[2] or ""), text)


def parse_dockerfile(text: str) -> Dockerfile:
    """Read the last stage of a Dockerfile.

    Raises
    ------
    DockerfileError
        If there is no exec-form ENTRYPOINT, without which SageMaker cannot stop the container properly either.
    """
    stage = _Stage({})
    named: dict[str, _Stage] = {}
    for instruction, rest in _instructions(text):
        if instruction == "FROM":
            stage = _next_stage(stage, rest, named)
        elif (read := _READERS.get(instruction)) is not None:
            read(stage, rest)
    if not stage.entrypoint:
        raise DockerfileError(
            'the Dockerfile has no exec-form ENTRYPOINT such as ENTRYPOINT ["python", "-m", "serving"]'
        )
    stage.environment = {k: v for k, v in stage.environment.items() if k not in _IMAGE_ONLY_VARIABLES}
    return stage


def _next_stage(before: _Stage, rest: str, named: dict[str, _Stage]) -> _Stage:
    """Begin the stage of ``FROM base [AS name]``; one that builds on an earlier stage inherits from it."""
    words = [word for word in rest.split() if not word.startswith("--")]
    base = named.get(words[0]) if words else None
    stage = copy.deepcopy(base) if base else _Stage(before.arguments)
    if len(words) == 3:
        named[words[2]] = stage
    return stage


def _instructions(text: str) -> list[tuple[str, str]]:
    """Split into instructions, joining continued lines and leaving out comments."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\[ \t]*\n", " ", "\n".join(lines))
    split = (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    return [(name.upper(), rest.strip()) for name, _, rest in split]


def _exec_form(instruction: str, rest: str) -> list[str]:
    try:
        words = json.loads(rest)
    except json.JSONDecodeError:
        words = None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise DockerfileError(f"{instruction} {rest}: use the exec form, a JSON list of strings")
    return words


def _read_entrypoint(stage: _Stage, rest: str) -> None:
    stage.entrypoint = _exec_form("ENTRYPOINT", rest)
    stage.command = []  # as Docker does: a new ENTRYPOINT voids an inherited CMD


def _read_command(stage: _Stage, rest: str) -> None:
    stage.command = _exec_form("CMD", rest)


def _read_work_dir(stage: _Stage, rest: str) -> None:
    folder = stage.expand(rest)
    stage.work_dir = folder if folder.startswith("/") else f"{stage.work_dir.rstrip('/')}/{folder}"


def _read_argument(stage: _Stage, rest: str) -> None:
    name, _, default = rest.partition("=")
    stage.arguments.setdefault(name, stage.expand(default.strip("\"'")))


def _read_environment(stage: _Stage, rest: str) -> None:
    name, space, value = rest.partition(" ")
    if "=" not in name and space:  # the old form: ENV NAME value with blanks
        pairs = [(name, value)]
    else:
        pairs = [(word.partition("=")[0], word.partition("=")[2]) for word in shlex.split(rest)]
    stage.environment.update([(key, stage.expand(value)) for key, value in pairs])


_READERS = {
    "ENTRYPOINT": _read_entrypoint,
    "CMD": _read_command,
    "WORKDIR": _read_work_dir,
    "ARG": _read_argument,
    "ENV": _read_environment,
}
