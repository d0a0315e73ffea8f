"""The phases of a rollout that goes forward: prepare, test, shift, bake, soak, finalise."""

from collections.abc import Callable
from dataclasses import replace

from lambdas.contract import FULL_WEIGHT
from lambdas.rollout.abort import abort, after_failure
from lambdas.rollout.actions import (
    Action,
    CreateFinalConfig,
    CreateMixedConfig,
    CreateModel,
    ReleaseScaling,
    RunSmokeTest,
)
from lambdas.rollout.decision import Decision, Turn, seconds, with_notice
from lambdas.rollout.observation import Outcome, Result
from lambdas.rollout.policy import SmokeTest
from lambdas.rollout.state import Live, Phase
from lambdas.rollout.updates import bring_to, set_weights, share_of_traffic, weights_at

_WATCH = 15.0
"""Alarms send events; this is how often they are looked at in case one gets lost."""

_TRAFFIC_POLL = 5.0


def tags(turn: Turn) -> dict[str, str]:
    """Return the tags of what a rollout creates."""
    rollout = turn.rollout
    named = {"tidegate:endpoint": turn.state.name, "tidegate:rollout": rollout.id}
    return {**named, "tidegate:package": rollout.package_arn} if rollout.package_arn else named


def prepare(turn: Turn) -> Decision:
    """Suspend autoscaling, make model and config, and bring the new variant up at weight 0."""
    for action in _preparations(turn):
        name = type(action).__name__
        if name in turn.rollout.done:
            continue
        if turn.seen.outcome is not None and turn.seen.outcome.done(type(action)):
            return turn.again(done=(*turn.rollout.done, name))
        count = action.count if isinstance(action, CreateMixedConfig) else turn.rollout.instance_count
        return turn.act(action, instance_count=count)
    rollout = turn.rollout
    text = f"Starting {rollout.instance_count} x {rollout.fleet.instance_type} for {rollout.version} on {rollout.slot}."
    if updating := bring_to(turn, rollout.mixed_config, text):
        return updating
    if not weights_at(turn, 0):
        return set_weights(turn, 0)
    return turn.move(Phase.TEST, "ready", f"{rollout.version} is up on {rollout.slot}, with no traffic yet.")


def _preparations(turn: Turn) -> tuple[Action, ...]:
    rollout = turn.rollout
    model = CreateModel(
        name=rollout.model,
        source_config=rollout.stable_config,
        source_slot=rollout.stable_slot,
        container=rollout.container,
        image=rollout.image,
        network_isolation=rollout.fleet.network_isolation,
        execution_role_arn=rollout.execution_role_arn,
        tags=tags(turn),
    )
    mixed = CreateMixedConfig(
        name=rollout.mixed_config,
        source_config=rollout.stable_config,
        slot=rollout.slot,
        model=rollout.model,
        count=rollout.instance_count or _count(turn),
        fleet=rollout.fleet,
        tags=tags(turn),
    )
    return ReleaseScaling(), model, mixed


def _count(turn: Turn) -> int:
    # The new version must be able to take all the traffic: as many instances as serve it now.
    stable = turn.endpoint.variants.get(turn.rollout.stable_slot)
    return turn.rollout.fleet.clamp(stable.count if stable else 1)


def test(turn: Turn) -> Decision:
    """Have the new version answer the smoke test before it sees any traffic."""
    rollout, smoke, outcome = turn.rollout, turn.rollout.policy.smoke_test, turn.seen.outcome
    if smoke is None:
        return _go_on(turn, lambda: _shift_to(turn, 0, "No smoke test is declared."))
    if outcome is not None and isinstance(outcome.action, RunSmokeTest):
        return _take_smoke_test(turn, smoke, outcome)
    if rollout.smoke_passed < smoke.requests:
        return turn.act(RunSmokeTest(rollout.slot, smoke, smoke.requests - rollout.smoke_passed))
    text = f"{rollout.version} answered {rollout.smoke_passed} of {smoke.requests} smoke requests."
    return _go_on(turn, lambda: _shift_to(turn, 0, text))


def _take_smoke_test(turn: Turn, smoke: SmokeTest, outcome: Outcome) -> Decision:
    passed = turn.rollout.smoke_passed + outcome.passed
    if outcome.result is not Result.DONE:
        reason = f"the smoke test got {passed} good answers of {smoke.requests}, then: {outcome.reason}"
        return abort(turn, reason) if outcome.final else after_failure(turn, reason)
    if passed < smoke.requests:
        # Time ran out before all were sent; another invocation sends the rest.
        return turn.wait(1, state=turn.changed(smoke_passed=passed))
    return turn.again(smoke_passed=passed)


def _go_on(turn: Turn, move: Callable[[], Decision]) -> Decision:
    if turn.rollout.paused:
        return turn.hold("it is paused", "Paused: waiting to be resumed.", _WATCH)
    return move()


def _shift_to(turn: Turn, step: int, why: str) -> Decision:
    weight = turn.rollout.policy.steps[step].weight
    return turn.move(
        Phase.SHIFT,
        "shift",
        f"{why} Shifting {turn.rollout.slot} to {weight} % of the traffic.",
        {"weight": weight},
        step=step,
        verified_since=None,
        bake_skipped=False,
    )


def shift(turn: Turn) -> Decision:
    """Set the step's weight; the bake starts once it is verified."""
    rollout = turn.rollout
    if not weights_at(turn, rollout.weight):
        # Less traffic for the new version is never held up by a pause.
        raising = share_of_traffic(turn) < rollout.weight
        return _go_on(turn, lambda: set_weights(turn, rollout.weight)) if raising else set_weights(turn, rollout.weight)
    last = rollout.policy.is_last(rollout.step)
    bake_seconds = rollout.policy.bake_of(rollout.step)
    text = (
        f"{rollout.version} on {rollout.slot} takes {rollout.weight} % of the traffic (verified); "
        f"{'soaking' if last else 'watching'} for {seconds(bake_seconds)}."
    )
    numbers = {"weight": rollout.weight, "bake_seconds": bake_seconds}
    return turn.move(Phase.SOAK if last else Phase.BAKE, "weight", text, numbers, verified_since=turn.now)


def bake(turn: Turn) -> Decision:
    """Watch the step's weight for as long as the policy says, then take the next step."""
    return _watch(turn) or _go_on(turn, lambda: _shift_to(turn, turn.rollout.step + 1, _healthy(turn)))


def soak(turn: Turn) -> Decision:
    """Watch the new version with all the traffic while the old one is kept, then let go of the old one."""
    return _watch(turn) or _go_on(turn, lambda: _finalize(turn))


def _watch(turn: Turn) -> Decision | None:
    rollout = turn.rollout
    if rollout.verified_since is None or not weights_at(turn, rollout.weight):
        return _drifted(turn)
    if not rollout.bake_is_over(turn.now):
        return turn.wait(min(rollout.verified_since + rollout.policy.bake_of(rollout.step) - turn.now, _WATCH))
    if doubts := _doubts(turn):
        text = f"Not going on at {rollout.weight} %, because {doubts}."
        return turn.hold(doubts, text, _TRAFFIC_POLL)
    return None


def _drifted(turn: Turn) -> Decision:
    """Follow a hand that took traffic off the new version; undo any other change of the weights."""
    rollout, share = turn.rollout, share_of_traffic(turn)
    if share < rollout.weight:
        seen = f"somebody has lowered its share of the traffic to {share:.0f} %"
        # Seen twice, because one look may be out of date.
        return abort(turn, seen) if rollout.remark == seen else turn.hold(seen, f"It seems that {seen}.", _TRAFFIC_POLL)
    text = f"The weights are no longer {rollout.weight} %: setting them again, and the watch starts anew."
    weight = {"weight": rollout.weight}
    return turn.move(Phase.SHIFT, "drift", text, weight, verified_since=None, bake_skipped=False)


def _doubts(turn: Turn) -> str:
    """Return why the version may not go on yet: what could not be read, an alarm, or too few requests seen."""
    seen = turn.seen
    if seen.health is None or seen.answered is None:
        return "; ".join(seen.problems) or "alarms and metrics were not read"
    # An operator who ends a bake vouches for what has not been seen, though not against an alarm.
    return seen.health.doubts or ("" if turn.rollout.bake_skipped else seen.answered.lacks(turn.rollout.evidence))


def _healthy(turn: Turn) -> str:
    rollout = turn.rollout
    watched = turn.now - (rollout.verified_since or turn.now)
    return f"{rollout.version} was healthy at {rollout.weight} % for {seconds(watched)}: {turn.seen.answered}."


def _finalize(turn: Turn) -> Decision:
    rollout = turn.rollout
    text = f"{_healthy(turn)} Removing {rollout.stable_slot}: from here the rollout cannot be aborted."
    return turn.move(Phase.FINALIZE, "finalize", text, {"weight": rollout.weight})


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
    live = Live(rollout.slot, rollout.final_config, rollout.fleet, rollout.image, rollout.package_arn, rollout.version)
    state = replace(state, rollout=None, live=live, previous_config=rollout.stable_config)
    entry = replace(turn.entry("promoted", text, seconds=round(took)), phase=Phase.PROMOTED)
    state = with_notice(state, f"{state.name}: promoted {rollout.version}", text)
    return Decision(state, None, turn.now, (entry,), ended)
