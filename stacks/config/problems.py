"""What is wrong with an environment's file, in words that say how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Parameters
    ----------
    path
        Where: ``endpoints[0].fleet.instance_type``.
    value
        What stands there.
    allowed
        What may stand there, or why this may not.
    way_out
        What to do about it.
    """

    path: str
    value: object
    allowed: str
    way_out: str

    def __str__(self) -> str:
        found = "nothing stands there" if self.value is None else f"{self.value!r} is not allowed"
        return f"{self.path}: {found}; {self.allowed}. Way out: {self.way_out}"

    def under(self, path: str) -> "Problem":
        """Return the problem with its path below `path`."""
        return replace(self, path=joined(path, self.path))


class ConfigError(ValueError):
    """An environment's file that cannot be deployed; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem], source: str = "") -> None:
        self.problems = tuple(problems)
        self.source = source
        lines = [f"  {problem}" for problem in self.problems]
        super().__init__("\n".join([f"{source or 'configuration'} cannot be used:", *lines]))

    def of(self, source: str) -> "ConfigError":
        """Return the error with the file that it is about."""
        return ConfigError(self.problems, source)


def joined(path: str, key: str) -> str:
    """Return the path of `key` below `path`."""
    return f"{path}.{key}" if path and key else path or key
