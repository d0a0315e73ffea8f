"""Watching the new version at what it has, until enough of its answers have been seen and all of them are good."""

from lambdas.rollout.abort import abort
from lambdas.rollout.decision import LONGEST_WAIT, Decision, Turn, seconds
from lambdas.rollout.state import Phase, Rollout
from lambdas.rollout.updates import share_of_traffic, weights_at

_SOONEST_LOOK = 5.0


def keep_weight(turn: Turn) -> Decision | None:
    """Follow a hand that took traffic off the new version; undo any other change of the weights."""
    rollout, share = turn.rollout, share_of_traffic(turn)
    if rollout.verified_since is not None and weights_at(turn, rollout.weight):
        return None
    if share < rollout.weight:
        seen = f"somebody has lowered its share of the traffic to {share:.0f} %"
        # Seen twice, because one look may be out of date.
        return abort(turn, seen) if rollout.remark == seen else turn.hold(seen, f"It seems that {seen}.", _SOONEST_LOOK)
    text = f"The weights are no longer {rollout.weight} %: setting them again, and the watch starts anew."
    weight = {"weight": rollout.weight}
    return turn.move(Phase.SHIFT, "drift", text, weight, verified_since=None, bake_skipped=False)


def keep_watching(turn: Turn) -> Decision | None:
    """Wait until the bake is over and enough good answers have been seen."""
    rollout, since = turn.rollout, turn.rollout.verified_since
    over = since is not None and rollout.bake_is_over(turn.now)
    if since is None or not over:
        left = (since or turn.now) + rollout.bake_seconds - turn.now
        # Alarms send events, and the sweep looks at those that got lost.
        return turn.wait(min(left, LONGEST_WAIT))
    return hold_in_doubt(turn)


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
    if _watched_by_nobody(rollout):
        return ""
    # An operator who ends a bake vouches for what has not been seen, though not against an alarm.
    return seen.health.doubts or ("" if rollout.bake_skipped else seen.answered.lacks(rollout.evidence) or _few(turn))


def _watched_by_nobody(rollout: Rollout) -> bool:
    return rollout.policy.watches_nothing and rollout.phase is Phase.SOAK


def _few(turn: Turn) -> str:
    rollout, compared = turn.rollout, turn.seen.compared
    if compared is None:
        return ""
    counts = {rollout.version: compared.new.requests}
    if rollout.policy.is_test(rollout.step):
        counts[turn.state.live.version] = compared.live.requests
    lacking = [f"{version} has answered {count:,}" for version, count in counts.items() if count < rollout.min_requests]
    return f"{' and '.join(lacking)} of {rollout.min_requests:,} requests at this weight" if lacking else ""


def healthy(turn: Turn) -> str:
    """Say that the new version was healthy, for how long, and by what."""
    rollout = turn.rollout
    watched = turn.now - (rollout.verified_since or turn.now)
    return f"{rollout.version} was healthy at {rollout.weight} % for {seconds(watched)}: {turn.seen.answered}."
