"""Finds an environment's file, reads and checks it."""

from pathlib import Path

from stacks.config.model import Environment
from stacks.config.problems import ConfigError, Problem
from stacks.config.reader import read
from stacks.config.rules import problems_of
from stacks.config.yaml_file import read_yaml

ROOT = Path(__file__).resolve().parents[2]
"""The repository's folder; paths in environment files are relative to it."""

ENVIRONMENTS = ROOT / "environments"


def environment_names(folder: Path = ENVIRONMENTS) -> list[str]:
    """Return the names of the environments that have a file."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_environment(name: str, folder: Path = ENVIRONMENTS) -> Environment:
    """Return the environment called `name`.

    Raises
    ------
    ConfigError
        When there is no such file, or anything in it is wrong; the error lists all of it.
    """
    path = folder / f"{name}.yaml"
    source = f"{folder.name}/{path.name}"
    if not path.is_file():
        known = ", ".join(environment_names(folder))
        raise ConfigError(
            [Problem("env", name, f"the environments are {known}", f"choose one of them, or write {source}")]
        )
    try:
        return _checked(read(Environment, read_yaml(path)), name)
    except ConfigError as error:
        raise error.of(source) from None


def _checked(environment: Environment, name: str) -> Environment:
    problems = problems_of(environment)
    if environment.environment != name:
        problems.append(
            Problem("environment", environment.environment, "it must be the name of the file", f"write {name}")
        )
    if problems:
        raise ConfigError(problems)
    return environment
