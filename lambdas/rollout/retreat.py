"""The way back: take the traffic off the new version, then its instances."""

from dataclasses import replace

from lambdas.rollout.abort import LATER
from lambdas.rollout.decision import Decision, Turn, seconds, with_notice
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.start import last_failed
from lambdas.rollout.state import Kind, Phase, State
from lambdas.rollout.updates import bring_to, set_weights, settled, weights_at


def rollback(turn: Turn) -> Decision:
    """Take all traffic off the new version, and verify that."""
    rollout = turn.rollout
    if turn.endpoint.config == rollout.mixed_config and not weights_at(turn, 0):
        return set_weights(turn, 0)
    text = f"{rollout.slot} takes no traffic any more (verified); {rollout.stable_slot} takes all of it."
    return turn.move(Phase.RESTORE, "weight", text, {"weight": 0, "seconds": round(turn.now - rollout.phase_since)})


def restore(turn: Turn) -> Decision:
    """Put the stable config back, which removes the new version's instances."""
    rollout = turn.rollout
    if turn.endpoint.config == rollout.mixed_config and not weights_at(turn, 0):
        return set_weights(turn, 0)
    text = f"Removing the instances of {rollout.slot}."
    if updating := bring_to(turn, rollout.stable_config, text):
        return updating
    if not settled(turn):
        return turn.wait(LATER)
    return _rolled_back(turn)


def _rolled_back(turn: Turn) -> Decision:
    rollout, state = turn.rollout, turn.state
    took = turn.now - rollout.started_at
    text = (
        f"Rolled back {rollout.version} on {state.name}: {state.live.version} is live on {rollout.stable_slot} as "
        f"before, {seconds(took)} after the start. The reason was: {rollout.abort_reason}."
    )
    ended = rollout.moved(Phase.ROLLED_BACK, turn.now)
    state = replace(
        state,
        failed=last_failed(rollout) or state.failed,
        failed_fleet=rollout.fleet if rollout.kind is Kind.FLEET else state.failed_fleet,
    )
    text += _not_live(state) if rollout.kind is Kind.FLEET else ""
    entry = replace(turn.entry("rolled-back", text, seconds=round(took)), phase=Phase.ROLLED_BACK)
    state = with_notice(replace(state, rollout=None), f"{state.name}: rolled back {rollout.version}", text)
    return Decision(state, None, turn.now, (entry,), ended)


def _not_live(state: State) -> str:
    gap = state.fleet_gap
    if not gap or state.fleet_changes:
        return ""
    return (
        f" The declared fleet ({_fields(state.desired_fleet, gap)}) is not live; {_fields(state.live.fleet, gap)} is. "
        "Deploying the same again changes nothing: to try once more, send the command retry; to give it up, declare "
        "what is live and deploy."
    )


def _fields(fleet: Fleet, names: list[str]) -> str:
    values = fleet.to_dict()
    return ", ".join(f"{name} {values[name]}" for name in names)
