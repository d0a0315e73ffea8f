"""Mistakes that an engine like this could have, each put in on purpose: the invariants must catch every one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from lambdas.rollout import forward, reconcile
from lambdas.rollout.abort import abort
from lambdas.rollout.actions import SetWeights
from lambdas.rollout.decision import Decision, Turn
from lambdas.rollout.engine import Engine
from lambdas.rollout.observation import EndpointView, Outcome
from lambdas.rollout.observe import observe
from lambdas.rollout.perform import perform
from lambdas.rollout.state import Phase, State
from localcloud.simulation.store import MemoryStore


@dataclass(frozen=True)
class Bug:
    """A mistake.

    Parameters
    ----------
    text
        What is wrong.
    owner, name, instead
        Whose attribute is replaced, and by what.
    """

    text: str
    owner: Any
    name: str
    instead: Callable[..., Any]


def _nobody_holds_it(_state: State, _owner: str, _now: float) -> bool:
    return False


def _whatever_is_there(_store: MemoryStore, _state: State, _before: State | None) -> None:
    return


def _act_first(
    engine: Engine, state: State, outcome: Outcome | None, endpoint: EndpointView | None
) -> tuple[State, Decision, Outcome | None, EndpointView | None]:
    ports = engine._ports
    decision = reconcile.reconcile(state, observe(state, ports, outcome, endpoint), ports.clock.now())
    done = perform(state.name, decision.action, ports, engine.has_time) if decision.action is not None else None
    return engine._record(state, decision), decision, done, None


_shift = forward.shift


def _trust_the_call(turn: Turn) -> Decision:
    decision = _shift(turn)
    rollout, asked = decision.state.rollout, turn.rollout.verified_since
    if rollout is None or not (isinstance(decision.action, SetWeights) or (rollout.phase in _WATCHED and asked)):
        return decision
    since = turn.now if rollout.phase is Phase.SHIFT else asked
    return replace(decision, state=replace(decision.state, rollout=replace(rollout, verified_since=since)))


_WATCHED = (Phase.BAKE, Phase.SOAK)


def _never_content(turn: Turn) -> Decision:
    return abort(turn, "one cannot be careful enough")


def _wait_and_see(_turn: Turn) -> None:
    return


_go_on_with = reconcile._reconcile_rollout


def _make_way_at_once(turn: Turn) -> Decision:
    if turn.state.queued is not None and turn.rollout.abort_reason:
        return Decision(replace(turn.state, rollout=None), wake_at=turn.now)
    return _go_on_with(turn)


BUGS = {
    "no-lease": Bug("a lease that somebody holds is taken all the same", State, "leased_to_other", _nobody_holds_it),
    "no-compare-and-swap": Bug(
        "the table takes every write, whatever was written since", MemoryStore, "_check_unchanged", _whatever_is_there
    ),
    "act-before-persist": Bug(
        "a call is made first, and its intent written down afterwards", Engine, "_cycle", _act_first
    ),
    "bake-from-unverified-weight": Bug(
        "the watch begins when the weight is asked for, not when it is in effect",
        reconcile._PHASES,
        Phase.SHIFT,
        _trust_the_call,
    ),
    "abort-dropped-on-supersede": Bug(
        "a version that waits takes the place of an aborted one before that is rolled back",
        reconcile,
        "_reconcile_rollout",
        _make_way_at_once,
    ),
    "always-rolls-back": Bug(
        "every version is rolled back, however good", reconcile._PHASES, Phase.BAKE, _never_content
    ),
    "verdict-unheeded": Bug(
        "a version that is known to be worse waits for better evidence", reconcile, "heed_verdict", _wait_and_see
    ),
    "finalise-without-soak": Bug(
        "the old version is removed as soon as the new one has all the traffic",
        reconcile._PHASES,
        Phase.SOAK,
        forward._next,
    ),
}


@contextmanager
def seeded(name: str | None) -> Iterator[None]:
    """Put a bug in; None for none."""
    with ExitStack() as stack:
        if name is not None:
            bug = BUGS[name]
            if isinstance(bug.owner, dict):
                stack.enter_context(patch.dict(bug.owner, {bug.name: bug.instead}))
            else:
                stack.enter_context(patch.object(bug.owner, bug.name, bug.instead))
        yield
