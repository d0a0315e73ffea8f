"""Which versions are live, and with what share of the traffic, for whoever sends requests to an endpoint. Pure.

It is written beside the state, in the same item and by the same write, and never read back by the engine: what was
decided and what callers are told can not be two things. A rollout that is given up says 0 from the write that makes the
abort durable, before a weight has changed on the endpoint.
"""

from typing import Any

from lambdas.contract import FULL_WEIGHT
from lambdas.rollout.state import Phase, Rollout, State

_ALL = frozenset({Phase.SOAK, Phase.FINALIZE})
"""All the traffic is the new version's; with FINALIZE there is no way back from that."""

_SOME = frozenset({Phase.SHIFT, Phase.BAKE, Phase.APPROVE})


def route_of(state: State) -> dict[str, Any]:
    """Return what is live, what may become live, and the percentage of the traffic that the latter takes.

    A slot keeps its version from the start of a rollout to the start of the next, so that the slot of an answer names
    the version that gave it.
    """
    live, rollout = state.live, state.rollout
    return {
        "live": _served(live.slot, live.version, live.package_arn, live.config),
        "candidate": rollout and _candidate(rollout),
        "percent": percent_in_effect(rollout) if rollout else 0,
    }


def percent_in_effect(rollout: Rollout) -> int:
    """Return the weight that the new version has been verified to take; 0 once it has been given up."""
    if rollout.phase in _ALL:
        return int(FULL_WEIGHT)
    step = rollout.in_effect if rollout.phase in _SOME else None
    return step.weight if step else 0


def key_of(version: str, package_arn: str | None, config: str) -> str:
    """Return what tells a version from any other model that was ever live on the endpoint.

    A model that is in no registry goes by its config: each clone of it is taken for another.
    """
    return package_arn or f"{version}@{config}"


def _candidate(rollout: Rollout) -> dict[str, str]:
    # The config that it is going to be live with, so that it is known by the same before and after its promotion.
    return _served(rollout.slot, rollout.version, rollout.package_arn, rollout.final_config)


def _served(slot: str, version: str, package_arn: str | None, config: str) -> dict[str, str]:
    """Return a version with its key, and with what its answers are kept under.

    That goes by the config always: the same model in another container, or under the config of somebody else, is taken
    for another, which costs some answers that could have been given again, and never gives a wrong one.
    """
    cache = f"{package_arn or version}@{config}"
    return {"slot": slot, "version": version, "key": key_of(version, package_arn, config), "cache": cache}
