"""The phases in which the new version takes traffic: test, shift, bake, approve, soak."""

from lambdas.rollout.abort import abort, after_failure
from lambdas.rollout.actions import RunSmokeTest
from lambdas.rollout.capacity import raise_for_share
from lambdas.rollout.decision import Decision, Turn, seconds
from lambdas.rollout.finish import let_go
from lambdas.rollout.gates import AFTER, BEFORE, TEST, ask_hook, await_approval, go_on
from lambdas.rollout.observation import Outcome, Result
from lambdas.rollout.policy import SmokeTest
from lambdas.rollout.policy.strategies import MANUAL
from lambdas.rollout.state import Phase
from lambdas.rollout.updates import set_weights, weights_at
from lambdas.rollout.watch import follow_hand, healthy, hold_in_doubt, keep_watching, keep_weight


def test(turn: Turn) -> Decision:
    """Have the new version answer the smoke test before it sees any traffic."""
    rollout, smoke, outcome = turn.rollout, turn.rollout.policy.smoke_test, turn.seen.outcome
    if smoke is None:
        return go_on(turn, lambda: _shift_to(turn, 0, "No smoke test is declared."))
    if outcome is not None and isinstance(outcome.action, RunSmokeTest):
        return _take_smoke_test(turn, smoke, outcome)
    if rollout.smoke_passed < smoke.requests:
        return turn.act(RunSmokeTest(rollout.slot, smoke, smoke.requests - rollout.smoke_passed))
    text = f"{rollout.version} answered {rollout.smoke_passed} of {smoke.requests} smoke requests."
    return go_on(turn, lambda: _shift_to(turn, 0, text))


def _take_smoke_test(turn: Turn, smoke: SmokeTest, outcome: Outcome) -> Decision:
    passed = turn.rollout.smoke_passed + outcome.passed
    if outcome.result is not Result.DONE:
        reason = f"the smoke test got {passed} good answers of {smoke.requests}, then: {outcome.reason}"
        return abort(turn, reason) if outcome.final else after_failure(turn, reason)
    if passed < smoke.requests:
        # Time ran out before all were sent; another invocation sends the rest.
        return turn.wait(1, state=turn.changed(smoke_passed=passed))
    return turn.again(smoke_passed=passed)


def _shift_to(turn: Turn, step: int, why: str) -> Decision:
    weight = turn.rollout.policy.plan[step].weight
    text = f"{why} Shifting {turn.rollout.slot} to {weight} % of the traffic."
    fresh = {"step": step, "verified_since": None, "bake_skipped": False, "progress_at": turn.now}
    return turn.move(Phase.SHIFT, "shift", text, {"weight": weight}, **fresh)


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
    return turn.move(Phase.SOAK if last else Phase.BAKE, "weight", text, numbers, **since)


def bake(turn: Turn) -> Decision:
    """Watch the step's weight for as long as the policy says and pass its gates, then go on."""
    return (
        keep_weight(turn)
        or keep_watching(turn)
        or _decide_test(turn)
        or ask_hook(turn, AFTER)
        or await_approval(turn)
        or go_on(turn, lambda: _next(turn))
    )


def approve(turn: Turn) -> Decision:
    """Wait for a person, and for what an alarm may say meanwhile."""
    return keep_weight(turn) or await_approval(turn) or hold_in_doubt(turn) or go_on(turn, lambda: _next(turn))


def _decide_test(turn: Turn) -> Decision | None:
    """Choose between the two versions of an A/B test; None when that is done, or a person's to do."""
    rollout, compared = turn.rollout, turn.seen.compared
    test = rollout.policy.ab_test if rollout.policy.is_test(rollout.step) else None
    if test is None or compared is None or test.winner == MANUAL or rollout.has(TEST) or rollout.bake_skipped:
        return None
    if not compared.prefers_new(test):
        return abort(turn, f"it lost the A/B test by {test.winner} ({compared})")
    text = f"{rollout.version} won the A/B test by {test.winner} ({compared})."
    numbers = {"new_requests": compared.new.requests, "live_requests": compared.live.requests}
    return turn.again(turn.entry("verdict", text, **numbers), cleared=rollout.passed(TEST))


def _next(turn: Turn) -> Decision:
    """Take the next step; after the last one, let go of the old version."""
    rollout = turn.rollout
    if rollout.policy.is_last(rollout.step):
        return let_go(turn, healthy(turn))
    return _shift_to(turn, rollout.step + 1, healthy(turn))
