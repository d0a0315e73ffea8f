"""The last phase: the old version's instances go, and the new version is what is live."""

from dataclasses import replace

from lambdas.contract import FULL_WEIGHT
from lambdas.rollout.actions import CreateFinalConfig
from lambdas.rollout.decision import Decision, Turn, seconds, with_notice
from lambdas.rollout.prepare import tags
from lambdas.rollout.state import Kind, Live, Phase
from lambdas.rollout.updates import bring_to, set_weights, weights_at
from lambdas.rollout.versions import remember


def finalize(turn: Turn) -> Decision:
    """Remove the old version's instances. Never aborted: the new version has all the traffic already."""
    rollout = turn.rollout
    if turn.endpoint.config != rollout.final_config and (unready := _before_removal(turn)):
        return unready
    text = f"Removing the instances of {rollout.stable_slot}."
    return bring_to(turn, rollout.final_config, text) or _promoted(turn)


def _before_removal(turn: Turn) -> Decision | None:
    rollout, name = turn.rollout, CreateFinalConfig.__name__
    if not weights_at(turn, FULL_WEIGHT):
        return set_weights(turn, FULL_WEIGHT)
    if name in rollout.done:
        return None
    if turn.seen.outcome is not None and turn.seen.outcome.done(CreateFinalConfig):
        return turn.again(done=(*rollout.done, name))
    return turn.act(CreateFinalConfig(rollout.final_config, rollout.mixed_config, rollout.slot, tags(turn)))


def _promoted(turn: Turn) -> Decision:
    rollout, state = turn.rollout, turn.state
    took = turn.now - rollout.started_at
    text = f"Promoted {rollout.version} on {state.name}: it is live on {rollout.slot}, {seconds(took)} after the start."
    ended = rollout.moved(Phase.PROMOTED, turn.now)
    state = replace(
        state,
        rollout=None,
        live=Live(
            rollout.slot, rollout.final_config, rollout.fleet, rollout.image, rollout.package_arn, rollout.version
        ),
        previous_config=rollout.stable_config,
        past=remember(state, turn.now),
        failed=None if rollout.kind is Kind.MODEL else state.failed,
    )
    entry = replace(turn.entry("promoted", text, seconds=round(took)), phase=Phase.PROMOTED)
    state = with_notice(state, f"{state.name}: promoted {rollout.version}", text)
    return Decision(state, None, turn.now, (entry,), ended)
