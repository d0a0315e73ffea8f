"""Watching the new version at what it has, until enough of its answers have been seen and all of them are good."""

from lambdas.rollout.abort import abort
from lambdas.rollout.decision import LONGEST_WAIT, Decision, Turn, seconds
from lambdas.rollout.gates import TEST
from lambdas.rollout.state import Phase, Rollout
from lambdas.rollout.updates import weights_at

_SOONEST_LOOK = 5.0
_TOLERANCE = 1e-6


def follow_hand(turn: Turn, weight: float) -> Decision | None:
    """Give the rollout up when somebody has taken traffic off the new version, which has been given `weight`."""
    if turn.share >= weight - _TOLERANCE:
        return None
    seen = f"somebody has lowered its share of the traffic to {turn.share:.0f} %"
    # Seen twice, because one look may be out of date.
    again = turn.rollout.remark == seen
    return abort(turn, seen) if again else turn.hold(seen, f"It seems that {seen}.", _SOONEST_LOOK)


def keep_weight(turn: Turn) -> Decision | None:
    """Follow a hand that took traffic off the new version; undo any other change of the weights."""
    rollout = turn.rollout
    if rollout.verified_since is not None and weights_at(turn, rollout.weight):
        return None
    if lowered := follow_hand(turn, rollout.weight):
        return lowered
    text = f"The weights are no longer {rollout.weight} %: setting them again, and the watch starts anew."
    weight = {"weight": rollout.weight}
    return turn.move(Phase.SHIFT, "drift", text, weight, verified_since=None, bake_skipped=False)


def keep_watching(turn: Turn) -> Decision | None:
    """Wait until the bake is over and enough good answers have been seen."""
    rollout = turn.rollout
    if rollout.bake_is_over(turn.now) or _is_decided(rollout):
        return hold_in_doubt(turn)
    left = (rollout.verified_since or turn.now) + rollout.bake_seconds - turn.now
    # Alarms send events, and the sweep looks at those that got lost.
    return turn.wait(min(left, LONGEST_WAIT))


def hold_in_doubt(turn: Turn) -> Decision | None:
    """Wait while it is not known whether the new version is good."""
    doubts = _doubts(turn)
    if not doubts:
        return None
    rollout, since = turn.rollout, turn.rollout.verified_since or turn.now
    at = "as a shadow" if rollout.phase is Phase.SHADOW else f"at {rollout.weight} %"
    overdue = turn.now - since - rollout.bake_seconds
    # What has lacked requests for long is likely to lack them for longer.
    wait = min(max(overdue / 4, _SOONEST_LOOK), LONGEST_WAIT)
    return turn.hold(doubts, f"Not going on {at}, because {doubts}.", wait)


def _doubts(turn: Turn) -> str:
    """Return why the version may not go on yet: what could not be read, an alarm, or too few requests seen."""
    seen, rollout = turn.seen, turn.rollout
    if seen.health is None or seen.answered is None or (rollout.compares and seen.compared is None):
        return "; ".join(seen.problems) or "alarms and metrics were not read"
    if _needs_no_evidence(rollout):
        return seen.health.objection
    # An operator who ends a bake vouches for what has not been seen, though not for what no request has shown at all.
    return seen.health.doubts or ("" if rollout.bake_skipped else seen.answered.lacks(rollout.evidence) or _few(turn))


def _needs_no_evidence(rollout: Rollout) -> bool:
    """Return whether it goes on unless an alarm objects: the way back, or the last step of all-at-once."""
    return rollout.urgent or (rollout.policy.watches_nothing and rollout.phase is Phase.SOAK)


def _is_decided(rollout: Rollout) -> bool:
    """Return whether an A/B test has ended before its time, by evidence."""
    return rollout.policy.decides_by_evidence and rollout.has(TEST)


def _few(turn: Turn) -> str:
    rollout, compared = turn.rollout, turn.seen.compared
    if compared is None or _is_decided(rollout):
        return ""
    counts, needed = {rollout.version: compared.new.requests}, rollout.min_requests
    if rollout.phase is Phase.SHADOW or rollout.policy.is_test(rollout.step):
        # Of two that are compared, each must have answered what an alarm would need.
        counts[turn.state.live.version] = compared.live.requests
        needed = max(needed, rollout.evidence.periods * rollout.evidence.min_requests)
    lacking = [f"{version} has answered {count:,}" for version, count in counts.items() if count < needed]
    return f"{' and '.join(lacking)} of {needed:,} requests at this weight" if lacking else ""


def healthy(turn: Turn) -> str:
    """Say that the new version was healthy, for how long, and by what."""
    rollout = turn.rollout
    watched = turn.now - (rollout.verified_since or turn.now)
    return f"{rollout.version} was healthy at {rollout.weight} % for {seconds(watched)}: {turn.seen.answered}."
