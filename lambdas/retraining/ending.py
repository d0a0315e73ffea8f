"""How a run ends: with exactly one outcome, and with people told what it was. Pure."""

import json

from lambdas.retraining.approving import consider
from lambdas.retraining.decision import FAULT, NOTICE, Decision, Turn
from lambdas.retraining.said import Conclusion
from lambdas.retraining.state import LONGEST_TEXT, Outcome, Run, Summary


def fail(turn: Turn, reason: str) -> Decision:
    """End the run without anything to say about a challenger."""
    text = f"The run {turn.run.id} failed: {reason}"[:LONGEST_TEXT]
    run = turn.run
    turn = _over(turn, Outcome.FAILED, text, Conclusion(Outcome.FAILED, reason))
    return (
        turn.telling(FAULT, turn.state.name, text)
        .telling(NOTICE, f"{turn.state.name}: retraining failed", _with(run, text))
        .decided()
    )


def end(turn: Turn, conclusion: Conclusion) -> Decision:
    """End the run with what its pipeline concluded."""
    run, name = turn.run, turn.state.name
    outcome = Outcome(conclusion.outcome)
    if outcome is Outcome.REGISTERED:
        text = (
            f"The run {run.id} registered {conclusion.version}: {conclusion.reason}. It was compared with "
            f"{run.champion.version}."
        )
        return consider(_over(turn, outcome, text, conclusion), run, conclusion, text)
    stays = f"{turn.live.champion.version} stays"
    why = _why(outcome, conclusion)
    text = f"The run {run.id} is over and {stays}, for {why}: {conclusion.reason}."
    turn = _over(turn, outcome, text, conclusion)
    return turn.telling(NOTICE, f"{name}: {stays}", _with(run, text)).decided()


def _why(outcome: Outcome, conclusion: Conclusion) -> str:
    if outcome is not Outcome.REFUSED:
        return "the challenger is not better"
    return "the challenger cannot be registered" if conclusion.checks_passed else "the challenger's checks failed"


def _over(turn: Turn, outcome: Outcome, text: str, conclusion: Conclusion) -> Turn:
    run, now = turn.run, turn.now
    numbers = json.loads(json.dumps(dict(conclusion.numbers)))
    summary = Summary(run, outcome.value, text[:LONGEST_TEXT], now, {**numbers, "version": conclusion.version})
    # Windows that began before were dealt with, or say nothing of what has come out of it.
    turn = turn.having(
        run=None, last_run=run.id, last_ended_at=now, fresh_from=max(turn.state.fresh_from, now), refused=""
    )
    turn = turn.having(data_until=run.until) if outcome is not Outcome.FAILED else turn
    turn = turn.saying("outcome", text, run.id, outcome=outcome.value, **numbers).summing_up(summary)
    return turn.announcing(
        run,
        "ended",
        outcome=outcome.value,
        text=text,
        version=conclusion.version,
        package_arn=conclusion.package_arn,
        numbers=numbers,
    )


def _with(run: Run, text: str) -> str:
    return f"{text}\n\nIt was started because {run.reason}.\nExecution: {run.execution or 'none'}"
