"""The last phase: the old version's instances go, and the new version is what is live."""

from dataclasses import replace

from lambdas.rollout.abort import LATER
from lambdas.rollout.actions import CreateFinalConfig, UpdateEndpoint
from lambdas.rollout.decision import Decision, Turn, seconds, with_notice
from lambdas.rollout.prepare import do_once, tags
from lambdas.rollout.state import Kind, Live, Phase
from lambdas.rollout.updates import came_back, intended, settled
from lambdas.rollout.versions import remember


def let_go(turn: Turn, why: str) -> Decision:
    """Have the old version's instances removed; whatever can be made beforehand is, for then there is no way back."""
    rollout = turn.rollout
    config = CreateFinalConfig(rollout.final_config, rollout.mixed_config, rollout.slot, tags(turn))
    if unmade := do_once(turn, config):
        return unmade
    text = f"{why} Removing {rollout.stable_slot}: from here the rollout cannot be aborted."
    sent = intended(turn, rollout.final_config)
    decision = turn.move(Phase.FINALIZE, "finalize", text, {"weight": rollout.weight}, sent=sent)
    return replace(decision, action=UpdateEndpoint(rollout.final_config))


def finalize(turn: Turn) -> Decision:
    """Wait for the old version's instances to be gone. Never aborted, for the call has been made.

    Where it turns out that it had no effect, the old version is still the way back, and the new one is watched again.
    """
    rollout = turn.rollout
    if turn.endpoint.config == rollout.final_config:
        return _promoted(turn)
    if rollout.sent is not None and turn.endpoint.modified_at != rollout.sent.modified_at:
        return came_back(turn, UpdateEndpoint.__name__, rollout.final_config)
    if not settled(turn):
        return turn.wait(LATER)
    text = f"Nothing has come of removing {rollout.stable_slot}: watching on, and trying again."
    return turn.move(Phase.SOAK, "setback", text, sent=None)


def _promoted(turn: Turn) -> Decision:
    rollout, state = turn.rollout, turn.state
    took = turn.now - rollout.started_at
    text = f"Promoted {rollout.version} on {state.name}: it is live on {rollout.slot}, {seconds(took)} after the start."
    ended = rollout.moved(Phase.PROMOTED, turn.now)
    state = replace(
        state,
        rollout=None,
        live=Live(
            slot=rollout.slot,
            config=rollout.final_config,
            fleet=rollout.fleet,
            image=rollout.image,
            package_arn=rollout.package_arn,
            version=rollout.version,
            restored=_restored(turn),
            sha256=rollout.sha256,
        ),
        previous_config=rollout.stable_config,
        past=remember(state, turn.now),
        failed=None if rollout.kind is Kind.MODEL else state.failed,
    )
    entry = replace(turn.entry("promoted", text, seconds=round(took)), phase=Phase.PROMOTED)
    state = with_notice(state, f"{state.name}: promoted {rollout.version}", text)
    return Decision(state, None, turn.now, (entry,), ended)


def _restored(turn: Turn) -> bool:
    # On another fleet it is the same version, and what somebody got away from is as bad as before.
    rollout = turn.rollout
    return turn.state.live.restored if rollout.kind is Kind.FLEET else rollout.goes_back
