"""What an endpoint's rollout waits for, and until when. Pure: it sees the durable state and the time."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.rollout.policy import Policy
from lambdas.rollout.state import FORWARD, Phase, Rollout, State


@dataclass(frozen=True)
class Waiting:
    """What is waited for, and until when at the latest if that is known."""

    what: str
    until: float | None = None


NOTHING = Waiting("")


def waits_for(state: State, policy: Policy, now: float) -> Waiting:
    """Return what the endpoint waits for; `policy` is the declared one, for what has not started yet."""
    if state.rollout is None:
        return _before_start(state, policy, now)
    if state.rollout.phase not in FORWARD:
        return _past_the_gates(state.rollout, now)
    return _people(state, state.rollout, now) or _hook(state.rollout) or _itself(state.rollout, now)


def starts_at_once(state: State, policy: Policy, now: float) -> bool:
    """Return whether something waits to be started that neither a freeze nor the hour holds up."""
    return state.has_work and _held(state, policy, _urgent(state), now) is None


def _urgent(state: State) -> bool:
    return state.queued is not None and state.queued.urgent


def _before_start(state: State, policy: Policy, now: float) -> Waiting:
    if state.retired:
        return Waiting("nothing: the endpoint has been retired")
    if not state.has_work:
        return NOTHING
    what = f"{state.queued.version} to start" if state.queued else "the changed fleet to be rolled out"
    held = _held(state, policy, _urgent(state), now)
    if held is not None:
        return Waiting(f"{held.what}, for {what}", held.until)
    return Waiting(f"{what}: {state.remark}" if state.remark else what)


def _held(state: State, policy: Policy, urgent: bool, now: float) -> Waiting | None:
    if urgent:
        return None
    if state.frozen is not None:
        why = f": {state.frozen.reason}" if state.frozen.reason else ""
        return Waiting(f"an unfreeze (frozen by {state.frozen.by}{why})")
    opens = policy.opens_at(now)
    return None if opens is None else Waiting("its deployment window to open", opens)


def _past_the_gates(rollout: Rollout, now: float) -> Waiting:
    if rollout.retry_at is not None and now < rollout.retry_at:
        return Waiting(f"another try ({rollout.failures} failed)", rollout.retry_at)
    if rollout.phase is Phase.ROLLBACK:
        return Waiting(f"{rollout.slot} to have no traffic")
    gone = rollout.slot if rollout.phase is Phase.RESTORE else rollout.stable_slot
    return Waiting(f"the instances of {gone} to be removed")


def _people(state: State, rollout: Rollout, now: float) -> Waiting | None:
    if rollout.paused:
        return Waiting("somebody to resume it")
    if rollout.phase is Phase.APPROVE:
        return Waiting("somebody to approve this step (approve --step), or to abort")
    return _held(state, rollout.policy, rollout.urgent, now)


def _hook(rollout: Rollout) -> Waiting | None:
    if rollout.asked_since is None:
        return None
    hook = rollout.present.before if rollout.phase is Phase.SHIFT else rollout.present.after
    if hook is None:
        return None
    name = hook.function.rpartition(":function:")[2]
    return Waiting(f"the hook {name} to answer", rollout.asked_since + hook.timeout_seconds)


def _itself(rollout: Rollout, now: float) -> Waiting:
    if rollout.retry_at is not None and now < rollout.retry_at:
        return Waiting(f"another try ({rollout.failures} failed)", rollout.retry_at)
    if rollout.verified_since is not None and not rollout.bake_is_over(now):
        return Waiting(_WATCHING.get(rollout.phase, "the bake"), rollout.verified_since + rollout.bake_seconds)
    if rollout.remark:
        return Waiting(rollout.remark)
    return Waiting(_UNREMARKED[rollout.phase].format(rollout=rollout))


_WATCHING = {Phase.SHADOW: "copied requests to be answered", Phase.SOAK: "the soak"}
_UNREMARKED = {
    Phase.SHADOW: "the comparison of the copied requests",
    Phase.PREPARE: "the instances of {rollout.slot} to start",
    Phase.TEST: "the smoke test",
    Phase.SHIFT: "{rollout.weight} % of the traffic on {rollout.slot}, verified",
    Phase.BAKE: "a look at the alarms and the requests answered",
    Phase.SOAK: "a look at the alarms and the requests answered",
}
