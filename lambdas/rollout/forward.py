"""The phases in which the new version takes traffic: test, shift, bake, approve, soak."""

from typing import Any

from lambdas.rollout.abort import abort, after_failure
from lambdas.rollout.actions import RunSmokeTest
from lambdas.rollout.capacity import raise_for_share
from lambdas.rollout.decision import Decision, Turn, seconds
from lambdas.rollout.finish import let_go
from lambdas.rollout.gates import AFTER, BEFORE, TEST, ask_hook, await_approval, go_on
from lambdas.rollout.judge import Winner
from lambdas.rollout.judging import await_evidence
from lambdas.rollout.observation import Outcome, Result
from lambdas.rollout.policy import AbTest, SmokeTest
from lambdas.rollout.policy.strategies import EVIDENCE, MANUAL
from lambdas.rollout.state import Phase
from lambdas.rollout.updates import set_weights, weights_at
from lambdas.rollout.watch import follow_hand, healthy, hold_in_doubt, keep_watching, keep_weight

_AGAIN = 5.0


def test(turn: Turn) -> Decision:
    """Have the new version answer the smoke test before it sees any traffic."""
    rollout, smoke, outcome = turn.rollout, turn.rollout.policy.smoke_test, turn.seen.outcome
    if smoke is None:
        return go_on(turn, lambda: _begin(turn, "No smoke test is declared."))
    if outcome is not None and isinstance(outcome.action, RunSmokeTest):
        return _take_smoke_test(turn, smoke, outcome)
    if rollout.smoke_passed < smoke.requests:
        return turn.act(RunSmokeTest(rollout.slot, smoke, smoke.requests - rollout.smoke_passed))
    text = f"{rollout.version} answered {rollout.smoke_passed} of {smoke.requests} smoke requests."
    return go_on(turn, lambda: _begin(turn, text))


def _begin(turn: Turn, why: str) -> Decision:
    """Take the first step, once it is known what counts as slow: afterwards the two versions share the blame."""
    if not turn.rollout.judges:
        return _shift_to(turn, 0, why)
    if turn.seen.baseline_ms is None:
        doubts = "; ".join(turn.seen.problems) or "the live version's latency was not read"
        return turn.hold(doubts, f"Not taking traffic yet, because {doubts}.", _AGAIN)
    return _shift_to(turn, 0, why, slow_ms=turn.seen.baseline_ms or None)


def _take_smoke_test(turn: Turn, smoke: SmokeTest, outcome: Outcome) -> Decision:
    passed = turn.rollout.smoke_passed + outcome.passed
    if outcome.result is not Result.DONE:
        reason = f"the smoke test got {passed} good answers of {smoke.requests}, then: {outcome.reason}"
        return abort(turn, reason) if outcome.final else after_failure(turn, reason)
    if passed < smoke.requests:
        # Time ran out before all were sent; another invocation sends the rest.
        return turn.wait(1, state=turn.changed(smoke_passed=passed))
    return turn.again(smoke_passed=passed)


def _shift_to(turn: Turn, step: int, why: str, **changes: Any) -> Decision:
    weight = turn.rollout.policy.plan[step].weight
    text = f"{why} Shifting {turn.rollout.slot} to {weight} % of the traffic."
    fresh = {"step": step, "verified_since": None, "bake_skipped": False, "progress_at": turn.now}
    return turn.move(Phase.SHIFT, "shift", text, {"weight": weight}, **fresh, **changes)


def shift(turn: Turn) -> Decision:
    """Set the step's weight; the bake starts once it is verified."""
    rollout = turn.rollout
    if weights_at(turn, rollout.weight):
        return _verified(turn)
    if turn.share >= rollout.weight:
        # Less traffic for the new version is never held up.
        return set_weights(turn, rollout.weight)
    if lowered := follow_hand(turn, rollout.in_effect.weight if rollout.in_effect else 0):
        return lowered
    return go_on(turn, lambda: ask_hook(turn, BEFORE) or raise_for_share(turn) or set_weights(turn, rollout.weight))


def _verified(turn: Turn) -> Decision:
    rollout = turn.rollout
    last = rollout.policy.is_last(rollout.step)
    text = (
        f"{rollout.version} on {rollout.slot} takes {rollout.weight} % of the traffic (verified); "
        f"{'soaking' if last else 'watching'} for {seconds(rollout.bake_seconds)}."
    )
    numbers = {"weight": rollout.weight, "bake_seconds": rollout.bake_seconds}
    since = {"verified_since": turn.now, "effect_since": turn.now, "effect_step": rollout.step}
    # What the judge knows of it from smaller weights still holds.
    since["judged_since"] = rollout.judged_since or turn.now
    return turn.move(Phase.SOAK if last else Phase.BAKE, "weight", text, numbers, **since)


def bake(turn: Turn) -> Decision:
    """Watch the step's weight for as long as the policy says and pass its gates, then go on."""
    return (
        keep_weight(turn)
        or _decide_early(turn)
        or keep_watching(turn)
        or _decide_test(turn)
        or await_evidence(turn)
        or ask_hook(turn, AFTER)
        or await_approval(turn)
        or go_on(turn, lambda: _next(turn))
    )


def approve(turn: Turn) -> Decision:
    """Wait for a person, and for what an alarm may say meanwhile."""
    return (
        keep_weight(turn)
        or await_evidence(turn)
        or await_approval(turn)
        or hold_in_doubt(turn)
        or go_on(turn, lambda: _next(turn))
    )


def _open_test(turn: Turn) -> AbTest | None:
    """Return the A/B test that is to be decided, unless that is done, or a person's to do."""
    rollout = turn.rollout
    test = rollout.policy.ab_test if rollout.policy.is_test(rollout.step) else None
    done = test is None or test.winner == MANUAL or rollout.has(TEST) or rollout.bake_skipped
    return None if done else test


def _decide_early(turn: Turn) -> Decision | None:
    """End an A/B test by evidence as soon as there is enough, on whichever side."""
    contest, test = turn.seen.contest, _open_test(turn)
    if contest is None or test is None or test.winner != EVIDENCE or contest.winner is Winner.UNDECIDED:
        return None
    if contest.winner is not Winner.NEW:
        return abort(turn, f"it did not win the A/B test: {contest.reason}")
    text = f"{turn.rollout.version} won the A/B test: {contest.reason}."
    return turn.again(turn.entry("verdict", text, **contest.numbers), cleared=turn.rollout.passed(TEST))


def _decide_test(turn: Turn) -> Decision | None:
    """Choose between the two versions of an A/B test when it ends."""
    rollout, compared, test = turn.rollout, turn.seen.compared, _open_test(turn)
    if test is None or compared is None:
        return None
    if test.winner == EVIDENCE:
        return _no_winner(turn)
    if not compared.prefers_new(test):
        return abort(turn, f"it lost the A/B test by {test.winner} ({compared})")
    text = f"{rollout.version} won the A/B test by {test.winner} ({compared})."
    numbers = {"new_requests": compared.new.requests, "live_requests": compared.live.requests}
    return turn.again(turn.entry("verdict", text, **numbers), cleared=rollout.passed(TEST))


def _no_winner(turn: Turn) -> Decision:
    if turn.seen.contest is None:
        doubts = "; ".join(turn.seen.problems) or "the two versions were not compared"
        return turn.hold(doubts, f"Not ending the A/B test, because {doubts}.", _AGAIN)
    return abort(turn, f"the A/B test is over, and neither version was shown to be better: {turn.seen.contest.reason}")


def _next(turn: Turn) -> Decision:
    """Take the next step; after the last one, let go of the old version."""
    rollout = turn.rollout
    if rollout.policy.is_last(rollout.step):
        return let_go(turn, healthy(turn))
    return _shift_to(turn, rollout.step + 1, healthy(turn))
