"""How many instances a rollout needs, and bringing a variant to them."""

import math

from lambdas.contract import FULL_WEIGHT
from lambdas.rollout.actions import SetCapacity
from lambdas.rollout.decision import Decision, Turn
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.policy.policy import SHARE
from lambdas.rollout.state import Kind, Rollout
from lambdas.rollout.updates import bring_about


def raise_stable(turn: Turn) -> Decision | None:
    """Raise the live version to its peak, for autoscaling rests until the rollout is over."""
    if turn.state.shortfall is not None:
        # Not even the fewest could be had: what serves is what there is.
        return None
    rollout, live = turn.rollout, turn.state.live
    fleet = live.fleet if rollout.kind is Kind.FLEET else rollout.fleet
    return _bring_to_count(turn, rollout.stable_slot, fleet.clamp(_peak(rollout, fleet)))


def raise_for_share(turn: Turn) -> Decision | None:
    """With capacity by share: give the new version instances for the present step before it gets the weight."""
    rollout = turn.rollout
    if rollout.policy.capacity != SHARE:
        return None
    return _bring_to_count(turn, rollout.slot, _share(turn, rollout.weight))


def initial_count(turn: Turn) -> int:
    """Return how many instances the new version starts with: for all the traffic, or for its first share of it."""
    rollout = turn.rollout
    if rollout.policy.capacity == SHARE and rollout.policy.shadow is None:
        # A shadow may answer copies of all the requests.
        return _share(turn, rollout.policy.plan[0].weight)
    stable = turn.endpoint.variants.get(rollout.stable_slot)
    return rollout.fleet.clamp(max(_peak(rollout, rollout.fleet), stable.count if stable else 1))


def _peak(rollout: Rollout, fleet: Fleet) -> int:
    return rollout.policy.peak_instances or fleet.max_instances


def _share(turn: Turn, weight: int) -> int:
    stable = turn.endpoint.variants.get(turn.rollout.stable_slot)
    count = turn.rollout.fleet.clamp(stable.count if stable else 1)
    return max(1, math.ceil(count * weight / FULL_WEIGHT))


def _bring_to_count(turn: Turn, slot: str, count: int) -> Decision | None:
    variant = turn.endpoint.variants.get(slot)
    if variant is None or min(variant.count, variant.desired_count) >= count:
        return None
    text = f"Raising {slot} from {variant.count} to {count} instances."
    return bring_about(turn, SetCapacity(slot, count), f"{count} instances of {slot}", text)
