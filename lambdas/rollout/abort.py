"""Giving a rollout up: the reasons for it, and calls that keep failing."""

from collections.abc import Callable

from lambdas.rollout.actions import RunSmokeTest
from lambdas.rollout.decision import Decision, Turn, seconds, with_notice
from lambdas.rollout.observation import IN_SERVICE, Result
from lambdas.rollout.state import FORWARD, Kind, Phase

TRIES = 3
"""Failed attempts, in one phase, after which a rollout that can still be aborted is."""

_FORWARD_DELAY, _RETREAT_DELAY, _LONGEST_DELAY = 10.0, 5.0, 600.0
LATER = 5.0


def abort(turn: Turn, reason: str) -> Decision:
    """Make the abort durable: from here the rollout only ever goes back."""
    rollout = turn.rollout
    at = f"{rollout.weight} % of the traffic" if rollout.phase in _WITH_TRAFFIC else "no traffic"
    text = (
        f"Rolling back {rollout.version} on {turn.state.name}: {reason}. It had {at} on {rollout.slot} in "
        f"{rollout.phase}; {rollout.stable_slot} takes everything again."
    )
    decision = turn.move(Phase.ROLLBACK, "abort", text, {"weight": rollout.weight}, abort_reason=reason)
    subject = f"{turn.state.name}: rolling back {rollout.version}"
    return Decision(with_notice(decision.state, subject, text), None, decision.wake_at, decision.entries)


_WITH_TRAFFIC = (Phase.SHIFT, Phase.BAKE, Phase.SOAK)


def make_abort_durable(turn: Turn) -> Decision | None:
    """Abort a rollout that can still be aborted, for the first reason that holds."""
    if turn.rollout.phase not in FORWARD:
        return None
    reason = next((found for check in _REASONS if (found := check(turn))), None)
    return abort(turn, reason) if reason else None


def _alarm(turn: Turn) -> str | None:
    health = turn.seen.health
    return health.cause if health is not None and health.failing else None


def _withdrawn(turn: Turn) -> str | None:
    status = turn.seen.package_status
    if turn.rollout.kind is not Kind.MODEL or status in (None, "Approved"):
        return None
    return f"the model package is {status} and no longer Approved"


def _fleet_set_back(turn: Turn) -> str | None:
    if turn.rollout.kind is not Kind.FLEET or turn.state.fleet_gap:
        return None
    return "the declared fleet is the live one again"


def _late(turn: Turn) -> str | None:
    if turn.now < turn.rollout.deadline:
        return None
    held = f", held up because {turn.rollout.remark}" if turn.rollout.remark else ""
    return f"the deadline of {seconds(turn.rollout.policy.deadline_seconds)} has passed{held}"


def _taken_off(turn: Turn) -> str | None:
    rollout, endpoint = turn.rollout, turn.endpoint
    if rollout.phase is Phase.PREPARE or endpoint.status != IN_SERVICE or endpoint.config != rollout.stable_config:
        return None
    return f"somebody else put {rollout.stable_config} live again"


_REASONS: tuple[Callable[[Turn], str | None], ...] = (_alarm, _withdrawn, _fleet_set_back, _taken_off, _late)


def heed_outcome(turn: Turn) -> Decision | None:
    """Wait after a refused call; count a failed one."""
    outcome = turn.seen.outcome
    if outcome is None or outcome.result is Result.DONE or isinstance(outcome.action, RunSmokeTest):
        return None
    if outcome.result is Result.UNKNOWN:
        return turn.wait(LATER)
    if outcome.result is Result.LATER:
        # What was refused has not begun, so that what the endpoint does next is not its failure.
        return turn.wait(LATER, state=turn.changed(sent=None))
    return after_failure(turn, f"{type(outcome.action).__name__} failed: {outcome.reason}")


def after_failure(turn: Turn, reason: str) -> Decision:
    """Count a failed attempt and try again later; give up after three while the rollout can still be aborted."""
    rollout = turn.rollout
    failures, forward = rollout.failures + 1, rollout.phase in FORWARD
    if forward and failures >= TRIES:
        return abort(turn, f"{rollout.phase} failed {failures} times, the last time because: {reason}")
    delay = _delay(rollout.phase, failures)
    limit = f" of {TRIES}" if forward else ""
    text = f"Attempt {failures}{limit} in {rollout.phase} failed: {reason}. Trying again in {seconds(delay)}."
    changed = turn.changed(failures=failures, sent=None, retry_at=turn.now + delay)
    return turn.wait(delay, state=changed, entries=(turn.entry("failure", text, failures=failures),))


def _delay(phase: Phase, failures: int) -> float:
    # Taking traffic off the new version never waits long; new instances may need to.
    if phase is Phase.ROLLBACK:
        return _RETREAT_DELAY
    return float(min(_FORWARD_DELAY * 2 ** min(failures - 1, 10), _LONGEST_DELAY))
