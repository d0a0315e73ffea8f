"""What the engine makes of a judgement: the way back, a step that may pass, or waiting for evidence. Pure."""

from lambdas.rollout.abort import abort
from lambdas.rollout.decision import LONGEST_WAIT, Decision, Turn, seconds, with_notice
from lambdas.rollout.gates import APPROVAL, ASKED, JUDGED
from lambdas.rollout.judge import Judgement, Verdict
from lambdas.rollout.policy.judging import EXTEND, RAISE
from lambdas.rollout.replacing import replace
from lambdas.rollout.state import Phase

_SOONEST_LOOK = 5.0
_LOOKS = 60
"""Once it has been known for as many periods, looks become rarer."""


def remember(turn: Turn) -> Turn:
    """Return the turn in which the numbers of an unchanged verdict are up to date: they need no cycle of their own."""
    judgement = turn.seen.judgement
    if judgement is None or turn.state.rollout is None or judgement.verdict != _verdict(turn):
        return turn
    return replace(turn, state=turn.changed(judged=judgement.numbers))


def heed_verdict(turn: Turn) -> Decision | None:
    """Give the rollout up when the judge says so, whatever else holds it up; write any other change of mind down."""
    judgement, rollout = turn.seen.judgement, turn.rollout
    if judgement is None or not rollout.is_judged:
        return None
    if judgement.verdict is Verdict.ROLLBACK:
        entry = turn.entry("verdict", f"Rolled back at {_moment(turn)}: {judgement.reason}.", **judgement.numbers)
        judged = replace(turn, state=turn.changed(judged=judgement.numbers))
        decision = abort(judged, f"it is worse than the live version: {judgement.reason}")
        return replace(decision, entries=(entry, *decision.entries))
    if judgement.verdict == _verdict(turn) or not rollout.needs_verdict:
        return None
    says = f"{judgement.verdict.capitalize()} at {_moment(turn)}: {judgement.reason}."
    return turn.aside(turn.entry("verdict", says, **judgement.numbers), judged=judgement.numbers)


def await_evidence(turn: Turn) -> Decision | None:
    """Wait until the judge is sure that the new version is not worse; None once that is so, or need not be."""
    rollout, judgement = turn.rollout, turn.seen.judgement
    if not rollout.needs_verdict or rollout.bake_skipped or rollout.has(JUDGED):
        return None
    if rollout.has(ASKED) and rollout.has(APPROVAL):
        return turn.again(cleared=rollout.passed(JUDGED))
    if judgement is None:
        doubts = "; ".join(turn.seen.problems) or "it has not been judged"
        return turn.hold(doubts, f"Not going on at {rollout.weight} %, because {doubts}.", _SOONEST_LOOK)
    if judgement.verdict is Verdict.PROMOTE:
        return turn.again(cleared=rollout.passed(JUDGED))
    return _wait(turn, judgement)


def _wait(turn: Turn, judgement: Judgement) -> Decision | None:
    rollout, judging = turn.rollout, turn.rollout.policy.judge
    if judging is None or (rollout.phase is Phase.APPROVE and rollout.has(ASKED)):
        return None
    waited = turn.now - (rollout.verified_since or turn.now)
    if waited >= judging.horizon_seconds and judging.inconclusive != EXTEND:
        return _inconclusive(turn, judgement, judging.inconclusive)
    text = f"Not going on at {rollout.weight} % without more evidence: {judgement.reason}."
    return turn.hold(judgement.obstacle or "more evidence that it is not worse", text, LONGEST_WAIT)


def _inconclusive(turn: Turn, judgement: Judgement, what: str) -> Decision:
    rollout = turn.rollout
    waited = seconds(turn.now - (rollout.verified_since or turn.now))
    found = f"Inconclusive after {waited} at {rollout.weight} %: {judgement.reason}."
    if what == RAISE and not rollout.policy.is_last(rollout.step + 1) and _may_raise(judgement):
        text = f"{found} Going on to where there is more traffic to judge by, as the policy says."
        return turn.again(turn.entry("verdict", text, **judgement.numbers), cleared=rollout.passed(JUDGED))
    text = f"{found} Somebody must say whether {rollout.version} goes on (python -m tidegate approve --step), or abort."
    # Whoever approved the step before could not know of this.
    cleared = tuple(each for each in rollout.passed(ASKED) if each != f"{APPROVAL}:{rollout.step}")
    decision = turn.move(Phase.APPROVE, "approval", text, judgement.numbers, cleared=cleared)
    subject = f"{turn.state.name}: {rollout.version} waits for approval"
    return replace(decision, state=with_notice(decision.state, subject, text))


def _may_raise(judgement: Judgement) -> bool:
    """Return whether only more requests are wanting: each metric has some, and none shows even a trace of harm."""
    return bool(judgement.asked) and all(each.new.total > 0 and each.harm <= 0 for each in judgement.asked)


def look_often(turn: Turn, decision: Decision) -> Decision:
    """Look again soon while there is something to be judged, for no event says that metrics have come.

    After every period at first, then ever less often: what is known for long changes slowly.
    """
    rollout, wake_at = decision.state.rollout, decision.wake_at
    if rollout is None or wake_at is None or not rollout.is_judged or not rollout.needs_verdict:
        return decision
    known_for = turn.now - (rollout.judged_since or turn.now)
    soon = turn.now + max(rollout.evidence.period_seconds, known_for / _LOOKS)
    return decision if wake_at <= soon else replace(decision, wake_at=soon)


def _verdict(turn: Turn) -> str:
    """Return the latest verdict; before the first one nothing is held to be known."""
    return str((turn.rollout.judged or {}).get("verdict", Verdict.HOLD))


def _moment(turn: Turn) -> str:
    """Name the moment, counted from the new version's first traffic."""
    compared = turn.now - (turn.rollout.judged_since or turn.now)
    return f"second {compared:.0f}" if compared < 120 else f"minute {-(-compared // 60):.0f}"
