"""Parts of a front door that operators switch off without a deployment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.inference.problems import Problem

CLOSED_SECONDS = 30
"""How soon it is worth asking again for what somebody has switched off."""


@dataclass(frozen=True)
class Switches:
    """What is on. Everything is, until somebody switches it off.

    Parameters
    ----------
    front_door
        Whether requests are taken at all.
    cache
        Whether answers are given again; also those that would stand in for the model's.
    routing
        Whether callers are sent to one of two versions by rules or by who they are.
    jobs
        Whether asynchronous jobs are taken.
    """

    front_door: bool = True
    cache: bool = True
    routing: bool = True
    jobs: bool = True

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Switches":
        """Read AppConfig's feature flags; those that it does not name are on, and those that nobody knows are ignored.

        Raises
        ------
        ValueError
            When it is something else.
        """
        return cls(*(_enabled(document, name) for name in ("front-door", "cache", "routing", "jobs")))


ALL_ON = Switches()


def switched_off(what: str) -> Problem:
    """Return what is answered for what has been switched off."""
    headers = {"Retry-After": str(CLOSED_SECONDS)}
    return Problem("unavailable", f"{what} been switched off; try again later", headers=headers)


def _enabled(document: Mapping[str, Any], name: str) -> bool:
    flag = document.get(name, {"enabled": True}) if isinstance(document, Mapping) else None
    found = flag.get("enabled") if isinstance(flag, Mapping) else None
    if not isinstance(found, bool):
        raise ValueError(f"the flag {name} has no `enabled` that is true or false")
    return found
