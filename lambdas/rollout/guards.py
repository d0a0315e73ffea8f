"""Reasons to leave the endpoint alone for now, or for good."""

from dataclasses import replace

from lambdas.contract import SLOTS
from lambdas.rollout.decision import ANEW, LONGEST_WAIT, Decision, Turn, with_notice
from lambdas.rollout.observation import BUSY, IN_SERVICE, LOST, EndpointView
from lambdas.rollout.start import last_failed
from lambdas.rollout.state import UNKNOWN, Kind, Live, Phase, Rollout, State
from lambdas.rollout.versions import remember

_WEIGHTS_POLL, _FLEET_POLL, _TROUBLE_POLL = 5.0, LONGEST_WAIT, 30.0
"""The endpoint's own event ends the waiting; these are for when it gets lost."""


def leave_lost_endpoint(turn: Turn) -> Decision | None:
    """End the rollout of an endpoint that is gone or beyond repair."""
    if turn.endpoint.status not in LOST:
        return None
    why = turn.endpoint.failure_reason or "no reason given"
    return abandon(turn, f"the endpoint is {turn.endpoint.status} ({why})", turn.state.live)


def wait_while_busy(turn: Turn) -> Decision | None:
    """Wait while the endpoint refuses mutations anyway."""
    status, rollout = turn.endpoint.status, turn.state.rollout
    if status == IN_SERVICE:
        return None
    if status in BUSY:
        quick = rollout is not None and rollout.phase in (Phase.SHIFT, Phase.ROLLBACK)
        return turn.wait(_WEIGHTS_POLL if quick else _FLEET_POLL)
    if rollout is None:
        return turn.rest()
    why = turn.endpoint.failure_reason or "no reason given"
    text = f"The endpoint is {status} ({why}): waiting for it to be InService."
    return turn.hold(f"the endpoint is {status}", text, _TROUBLE_POLL)


def stand_aside(turn: Turn) -> Decision | None:
    """End the rollout when somebody else has put another config live: the endpoint is the source of truth."""
    rollout, config = turn.rollout, turn.endpoint.config
    ends = rollout.final_config if rollout.phase is Phase.FINALIZE else rollout.stable_config
    ours = {rollout.shadow_config, rollout.mixed_config, ends}
    if config in ours:
        return None
    return abandon(turn, f"somebody else put the config {config} live", adopted(turn.state, turn.endpoint))


def adopted(state: State, endpoint: EndpointView) -> Live:
    """Return what is live once somebody else's config is taken for granted."""
    if endpoint.config == state.live.config:
        return state.live
    slots = [slot for slot in SLOTS if slot in endpoint.variants]
    slot = slots[0] if len(slots) == 1 else state.live.slot
    return Live(slot, endpoint.config, state.live.fleet, image="", version=UNKNOWN)


def abandon(turn: Turn, reason: str, live: Live) -> Decision:
    """End the rollout without another call: the endpoint is in other hands."""
    rollout = turn.rollout
    ended = rollout.moved(Phase.ABANDONED, turn.now, abort_reason=rollout.abort_reason or reason)
    text = (
        f"Abandoned the rollout of {rollout.version} on {turn.state.name} in {rollout.phase}: {reason}. "
        f"Nothing more is changed; look at the endpoint. To try again, {_again(rollout)}."
    )
    failed = rollout.fleet if rollout.fleet.differences(live.fleet) else turn.state.failed_fleet
    state = turn.state
    if live is not state.live:
        state = replace(state, live=live, previous_config=state.live.config, past=remember(state, turn.now))
    state = replace(state, rollout=None, failed_fleet=failed, failed=last_failed(rollout) or state.failed)
    state = with_notice(state, f"{turn.state.name}: abandoned the rollout of {rollout.version}", text)
    entry = replace(turn.entry("abandoned", text), phase=Phase.ABANDONED)
    return Decision(state, None, turn.now, (entry,), ended)


def _again(rollout: Rollout) -> str:
    return "send the command retry" if rollout.kind is Kind.FLEET else f"send the command retry, or {ANEW}"


def hold_back(turn: Turn) -> Decision | None:
    """Wait until a failed attempt may be repeated."""
    retry_at = turn.rollout.retry_at
    return turn.wait(retry_at - turn.now) if retry_at is not None and turn.now < retry_at else None
