"""Which version answers a request. Pure.

In this order: the variant that a tester asks for, the first segment rule that holds, the caller's place where callers
keep to one version; else SageMaker chooses, by its weights. Only a caller who is named has a place: a client that names
none would go to one version with all its requests.

Rules and places count only while the rollout engine gives the candidate a share of the traffic, and only as long as
that has been read just now. That is what makes them safe: a candidate that has not passed its tests yet, that an alarm
has taken off or that is being rolled back has a share of 0 from the moment that this is durable, and no rule, whatever
it says, sends anybody there. A tester's wish needs no view: SageMaker says itself that there is no such variant.
"""

from dataclasses import dataclass
from typing import Literal

from lambdas.inference.assignment import takes_candidate
from lambdas.inference.headers import Asked
from lambdas.inference.identity import Caller
from lambdas.inference.segments import choose
from lambdas.inference.settings import FrontDoor
from lambdas.inference.view import Served, View

Why = Literal["target", "segment", "sticky", "weights"]


@dataclass(frozen=True)
class Routed:
    """Where a request goes.

    Parameters
    ----------
    slot
        The production variant that is to answer; None for whichever SageMaker chooses.
    served
        The version that is going to answer, where that is certain.
    why
        What decided that.
    """

    slot: str | None
    served: Served | None
    why: Why


def route(
    settings: FrontDoor, view: View | None, caller: Caller, asked: Asked, now: float, *, routing: bool = True
) -> Routed:
    """Return where a request goes.

    Parameters
    ----------
    settings
        The endpoint's rules.
    view
        What is live; None when that is not known.
    caller, asked
        Who asks, and for what. That only testers ask for a variant has been seen to.
    now
        In seconds of the view's clock.
    routing
        Whether it is switched on; else SageMaker chooses.
    """
    if not routing:
        return by_weights(view)
    if asked.target is not None:
        return Routed(asked.target, view.named(asked.target) if view is not None else None, "target")
    if view is None or view.candidate is None or not view.shares(now):
        return by_weights(view)
    return _between(settings, view, view.candidate, caller, asked)


def by_weights(view: View | None) -> Routed:
    """Let SageMaker choose; without a rollout there is only one version to choose."""
    certain = view is not None and view.candidate is None
    return Routed(None, view.live if view is not None and certain else None, "weights")


def _between(settings: FrontDoor, view: View, candidate: Served, caller: Caller, asked: Asked) -> Routed:
    # A client that names nobody asks in its own name, as far as rules go.
    sent = choose(settings.segments, caller.client, asked.caller or caller.client, caller.attributes)
    if sent is not None:
        return _to(candidate if sent == "candidate" else view.live, "segment")
    if settings.sticky and asked.caller is not None:
        taken = takes_candidate(settings.endpoint, asked.caller, view.percent)
        return _to(candidate if taken else view.live, "sticky")
    return by_weights(view)


def _to(served: Served, why: Why) -> Routed:
    return Routed(served.slot, served, why)
