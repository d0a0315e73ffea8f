"""Starting a run, or saying why not. Pure."""

import hashlib

from lambdas.retraining.decision import Decision, Start, Turn, month_of, said_at
from lambdas.retraining.said import NotStarted, Ordered, Started
from lambdas.retraining.state import LONGEST_TEXT, Run, Status, Summary
from lambdas.retraining.triggers import OPERATOR, SCHEDULE, Cause, Refusal, against, due, since_of_history

START_LIMIT = 3600.0
"""Seconds for which the start of a run is tried again."""

TRY_SECONDS = 90.0
"""Longer than the functions' time-out: when a start is tried again, the try before is over, whatever became of it."""


def start_if_due(turn: Turn) -> Decision:
    """Start a run if there is a cause and nothing stands against it."""
    cause = due(turn)
    if cause is None:
        return turn.decided()
    refusal = against(turn, cause.trigger)
    if refusal is None:
        return begin(turn, cause)
    return _noted(turn, cause, refusal).decided()


def _noted(turn: Turn, cause: Cause, refusal: Refusal) -> Turn:
    """Say why no run starts, once for as long as cause and reason stay the same; the cause stands."""
    said = f"{cause.trigger}/{cause.key}/{refusal.kind}"
    if said == turn.state.refused:
        return turn
    text = f"No run starts though {cause.text}: {refusal.text}."
    numbers = {"trigger": cause.trigger, "why": refusal.kind, **cause.numbers, **refusal.numbers}
    return turn.having(refused=said).saying("refused", text, **numbers)


def order(turn: Turn, ordered: Ordered) -> Decision:
    """Start a run because an operator says so; it is not kept for later when that cannot be."""
    reason = f": {ordered.reason}" if ordered.reason else ""
    cause = Cause(OPERATOR, ordered.id, f"{ordered.by} ordered it{reason}", since_of_history(turn))
    refusal = against(turn, OPERATOR)
    if refusal is None:
        return begin(turn, cause, command=ordered.id)
    text = f"{ordered.by} ordered a run, but {refusal.text}. Nothing is done."
    return turn.saying("command", text, command=ordered.id, accepted=False, by=ordered.by, **refusal.numbers).decided()


def begin(turn: Turn, cause: Cause, command: str = "") -> Decision:
    """Decide on a run. What it is called follows from the state and the cause, so that deciding twice makes one."""
    state, now = turn.state, turn.now
    number = state.runs + 1
    run = Run(
        id=run_id(state.name, number, state.version, cause),
        trigger=cause.trigger,
        reason=cause.text[:LONGEST_TEXT],
        champion=turn.live.champion,
        since=max(cause.since, 0.0),
        until=now,
        decided_at=now,
        began=cause.began,
        attempts=1,
        tried_at=now,
    )
    month = month_of(now)
    used = (state.month_runs if state.month == month else 0) + 1
    numbers = {**cause.numbers, "month_runs": used, "monthly_runs": turn.settings.monthly_runs}
    numbers |= {"command": command, "accepted": True} if command else {}
    text = (
        f"The run {run.id} starts because {cause.text}. It is trained on what was captured from {said_at(run.since)} "
        f"to {said_at(run.until)} and has to beat {run.champion.version}; it is run {used} of "
        f"{turn.settings.monthly_runs} of {month}."
    )
    turn = turn.having(run=run, runs=number, month=month, month_runs=used, refused="")
    turn = turn.having(scheduled_from=now) if cause.trigger == SCHEDULE else turn
    turn = turn.saying("command" if command else "start", text, run.id, **numbers).announcing(run, "started")
    return turn.summing_up(Summary(run)).decided(Start(run, find=False))


def run_id(name: str, number: int, version: int, cause: Cause) -> str:
    """Return a run's id, of 34 characters: as long as a pipeline execution's token must be, and no longer than a
    model package's may be.
    """
    digest = hashlib.sha256(f"{name}|{version}|{cause.trigger}|{cause.key}".encode()).hexdigest()
    return f"run-{number:05d}-{digest[:24]}"


def start_again(turn: Turn) -> Decision:
    """Try once more to start the run; an earlier try may have begun its execution without our learning of it."""
    if turn.now < turn.run.tried_at + TRY_SECONDS:
        return turn.decided()
    turn = turn.with_run(attempts=turn.run.attempts + 1, tried_at=turn.now)
    return turn.decided(Start(turn.run, find=True))


def started(turn: Turn, said: Started) -> Decision:
    """Take in that the run has an execution."""
    if turn.run.status is not Status.INTENDED:
        return turn.decided()
    turn = turn.with_run(status=Status.RUNNING, execution=said.execution, problem="")
    text = f"The run {said.run} has started as {said.execution}. {said.notes}".strip()
    return turn.saying("started", text, said.run, execution=said.execution).summing_up(Summary(turn.run)).decided()


def keeps_failing(turn: Turn, said: NotStarted) -> bool:
    """Return whether the run is given up.

    One that surely has no execution is when it cannot start, is to be stopped, or could not start for too long; one
    that may have an execution, only when that has long been asked for and will not be found out.
    """
    late = turn.now > turn.run.decided_at + START_LIMIT
    if said.none_began:
        return said.final or late or bool(turn.run.stopping)
    return said.final and late
