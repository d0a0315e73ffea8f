"""Giving a rollout up: the reasons for it, and calls that keep failing."""

from collections.abc import Callable

from lambdas.contract import PACKAGE_APPROVED
from lambdas.rollout.actions import AskHook, CreateFinalConfig, RunSmokeTest
from lambdas.rollout.decision import Decision, Turn, seconds, with_notice
from lambdas.rollout.observation import IN_SERVICE, Result
from lambdas.rollout.policy.policy import RESTART
from lambdas.rollout.replacing import replace
from lambdas.rollout.state import FORWARD, WITH_TRAFFIC, Kind, Phase

TRIES = 3
"""Failed attempts, in one phase, after which a rollout that can still be aborted is."""

_FORWARD_DELAY, _RETREAT_DELAY, _LONGEST_DELAY = 10.0, 5.0, 600.0
LATER = 5.0
BLIND_SECONDS = 300.0
"""A new version that no alarm watches keeps its traffic for no longer than this."""

_TOLD_AT = frozenset({1, 3, 10, 100})
"""Failed attempts of a way back, or of the last step, at which people are told; never at every one."""


def abort(turn: Turn, reason: str) -> Decision:
    """Make the abort durable: from here the rollout only ever goes back."""
    rollout = turn.rollout
    share = turn.share
    at = f"{share:.0f} % of the traffic" if share else "no traffic"
    text = (
        f"Rolling back {rollout.version} on {turn.state.name}: {reason}. It had {at} on {rollout.slot} in "
        f"{rollout.phase}; {rollout.stable_slot} takes everything again."
    )
    decision = turn.move(Phase.ROLLBACK, "abort", text, {"weight": round(share)}, abort_reason=reason, blind_since=None)
    subject = f"{turn.state.name}: rolling back {rollout.version}"
    return replace(decision, state=with_notice(decision.state, subject, text))


def make_abort_durable(turn: Turn) -> Decision | None:
    """Abort a rollout that can still be aborted, for the first reason that holds."""
    if turn.rollout.phase not in FORWARD:
        return None
    reason = next((found for check in _REASONS if (found := check(turn))), None)
    return abort(turn, reason) if reason else None


def _alarm(turn: Turn) -> str | None:
    health = turn.seen.health
    return health.cause if health is not None and health.failing else None


def _errors_counted(turn: Turn) -> str | None:
    answered, rollout, step = turn.seen.answered, turn.rollout, turn.rollout.in_effect
    if answered is None or step is None:
        return None
    own, general = step.error_rate_percent, rollout.evidence.error_rate_percent
    limit = general if own is None or rollout.phase is Phase.SHADOW else min(own, general)
    if not answered.exceeds(rollout.evidence, limit):
        return None
    return f"{answered} {_where(turn)}, more than {limit:g} %"


def _too_slow(turn: Turn) -> str | None:
    answered, step = turn.seen.answered, turn.rollout.in_effect
    limit = step.p99_latency_milliseconds if step else None
    if answered is None or limit is None or turn.rollout.phase is Phase.SHADOW:
        return None
    p99 = answered.slowness(turn.rollout.evidence, limit)
    return f"its 99th percentile stays above {p99:.0f} ms {_where(turn)}, where {limit} ms are allowed" if p99 else None


def _where(turn: Turn) -> str:
    step = turn.rollout.in_effect
    return "as a shadow" if turn.rollout.phase is Phase.SHADOW or step is None else f"at {step.weight} %"


def _blind(turn: Turn) -> str | None:
    since = turn.rollout.blind_since
    if since is None or turn.now - since < BLIND_SECONDS:
        return None
    return f"its alarms could not be read for {seconds(turn.now - since)} ({_blindness(turn)})"


def _blindness(turn: Turn) -> str:
    """Return why nobody would notice if the new version failed, empty when its alarms can be read."""
    health = turn.seen.health
    if health is None:
        return "; ".join(turn.seen.problems) or "no answer"
    return f"alarm {health.missing} does not exist" if health.missing else ""


def mind_blindness(turn: Turn) -> Decision | None:
    """Remember since when a new version with traffic has been watched by no alarm."""
    rollout = turn.rollout
    blind = rollout.phase in WITH_TRAFFIC and _blindness(turn)
    if blind and rollout.blind_since is None:
        text = f"Blind: {blind}. Without its alarms, {rollout.version} is rolled back in {seconds(BLIND_SECONDS)}."
        return turn.aside(turn.entry("blind", text), blind_since=turn.now)
    if not blind and rollout.blind_since is not None:
        return turn.aside(turn.entry("sighted", "The alarms can be read again."), blind_since=None)
    return None


def _withdrawn(turn: Turn) -> str | None:
    status = turn.seen.package_status
    if turn.rollout.kind is not Kind.MODEL or status in (None, PACKAGE_APPROVED):
        return None
    return f"the model package is {status} and no longer Approved"


def _fleet_set_back(turn: Turn) -> str | None:
    if turn.rollout.kind is not Kind.FLEET or turn.state.fleet_gap:
        return None
    return "the declared fleet is the live one again"


def _late(turn: Turn) -> str | None:
    # What has soaked to the end is not taken back only because the old instances cannot be removed.
    rollout = turn.rollout
    if turn.now < rollout.deadline or rollout.setbacks or rollout.waiting_since is not None:
        return None
    if rollout.urgent and rollout.phase in WITH_TRAFFIC:
        # The way back is not taken back only because too few requests come to show that it is good.
        return None
    held = f", held up because {turn.rollout.remark}" if turn.rollout.remark else ""
    return f"the deadline of {seconds(turn.rollout.policy.progress_deadline_seconds)} without progress has passed{held}"


def _taken_off(turn: Turn) -> str | None:
    rollout, endpoint = turn.rollout, turn.endpoint
    if (
        rollout.phase in (Phase.SHADOW, Phase.PREPARE)
        or endpoint.status != IN_SERVICE
        or endpoint.config != rollout.stable_config
    ):
        return None
    return f"somebody else put {rollout.stable_config} live again"


def _displaced(turn: Turn) -> str | None:
    """Give way to what was asked for while the old version was being removed, which has failed meanwhile."""
    rollout, queued = turn.rollout, turn.state.queued
    if queued is None or rollout.urgent:
        return None
    if queued.urgent:
        return f"going back to {queued.version} was asked for"
    restarts = rollout.setbacks and rollout.kind is Kind.MODEL and rollout.policy.newer_version == RESTART
    return f"superseded by {queued.version}" if restarts else None


_REASONS: tuple[Callable[[Turn], str | None], ...] = (
    _alarm,
    _errors_counted,
    _too_slow,
    _blind,
    _withdrawn,
    _fleet_set_back,
    _taken_off,
    _displaced,
    _late,
)


def heed_outcome(turn: Turn) -> Decision | None:
    """Wait after a refused call; count a failed one."""
    outcome = turn.seen.outcome
    if outcome is None or outcome.result is Result.DONE or isinstance(outcome.action, RunSmokeTest | AskHook):
        return None
    if outcome.result is Result.UNKNOWN:
        return turn.wait(LATER)
    if outcome.result is Result.LATER and turn.rollout.phase is Phase.FINALIZE:
        # What was refused has not begun: the old version is still the way back, and alarms must be able to take it.
        text = f"{outcome.reason}. Watching on; trying again in {seconds(LATER)}."
        return turn.move(Phase.SOAK, "setback", text, sent=None, retry_at=turn.now + LATER)
    if outcome.result is Result.LATER:
        # What was refused has not begun, so that what the endpoint does next is not its failure.
        return turn.wait(LATER, state=turn.changed(sent=None))
    reason = f"{type(outcome.action).__name__} failed: {outcome.reason}"
    if outcome.final:
        return abort(turn, reason)
    return back_to_soak(turn, reason) if isinstance(outcome.action, CreateFinalConfig) else after_failure(turn, reason)


def after_failure(turn: Turn, reason: str) -> Decision:
    """Count a failed attempt and try again later; give up after three while the rollout can still be aborted."""
    rollout = turn.rollout
    failures, forward = rollout.failures + 1, rollout.phase in FORWARD
    if forward and failures >= TRIES:
        return abort(turn, f"{rollout.phase} failed {failures} times, the last time because: {reason}")
    if rollout.phase is Phase.FINALIZE:
        return back_to_soak(turn, reason)
    delay = _delay(rollout.phase, failures)
    limit = f" of {TRIES}" if forward else ""
    text = f"Attempt {failures}{limit} in {rollout.phase} failed: {reason}. Trying again in {seconds(delay)}."
    changed = turn.changed(failures=failures, sent=None, retry_at=turn.now + delay)
    if not forward and failures in _TOLD_AT:
        changed = with_notice(changed, f"{turn.state.name}: {rollout.phase} of {rollout.version} is failing", text)
    return turn.wait(delay, state=changed, entries=(turn.entry("failure", text, failures=failures),))


def back_to_soak(turn: Turn, reason: str) -> Decision:
    """Go on watching when the old version could not be removed: it is still there, so the way back is open again."""
    rollout, setbacks = turn.rollout, turn.rollout.setbacks + 1
    delay = _delay(rollout.phase, setbacks)
    text = (
        f"{rollout.stable_slot} could not be removed (attempt {setbacks}): {reason}. It stays as the way back; "
        f"{rollout.version} is watched again with all the traffic. The next attempt is in {seconds(delay)} or later."
    )
    again = {"verified_since": turn.now, "sent": None, "setbacks": setbacks, "retry_at": turn.now + delay}
    decision = turn.move(Phase.SOAK, "setback", text, {"attempt": setbacks}, **again)
    if setbacks not in _TOLD_AT:
        return decision
    return replace(decision, state=with_notice(decision.state, f"{turn.state.name}: cannot finish", text))


def _delay(phase: Phase, failures: int) -> float:
    # Taking traffic off the new version never waits long; new instances may need to.
    if phase is Phase.ROLLBACK:
        return _RETREAT_DELAY
    return float(min(_FORWARD_DELAY * 2 ** min(failures - 1, 10), _LONGEST_DELAY))
