"""What to make durable about batches, and what to do, about one thing that is said. Pure.

What follows is told by what is there, not by what was said: input that was recorded, outputs that exist, the latest
job. An output is written whole or not at all, so that what is left is what has none, and no row is answered twice.

What cannot be done ends a run only before it has a job. After that it is noted, told once and tried again, and a run
ends when nothing of it goes on: what still does is stopped first.
"""

from lambdas.inference.batch import beginning
from lambdas.inference.batch.decision import (
    FAULT,
    LONGEST_TEXT,
    Create,
    Decision,
    Finish,
    Halt,
    Load,
    Observe,
    Record,
    Stop,
    Turn,
)
from lambdas.inference.batch.said import (
    IN_PROGRESS,
    Finished,
    LoadSeen,
    Look,
    NotDone,
    Observed,
    Recorded,
    Said,
    StopWanted,
    Wanted,
)
from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import Answer, Outcome, Run, Stage, State

MOST_STALLED = 2
"""Jobs in a row that answered no object whole, after which another would do no better."""

CREATION_SECONDS = 120.0
"""Within which whoever decided on a job has created it, or never will: no function runs for as long."""

_HOUR = 3600.0


def decide(state: State, said: Said, now: float, plan: Plan) -> Decision:
    """Return what to make durable, and what to do once it is."""
    turn = Turn(state, now, plan)
    if isinstance(said, Wanted):
        return _next(beginning.wanted(turn, said.wish))
    if isinstance(said, StopWanted):
        return _next(_stop_wanted(turn, said))
    if isinstance(said, Look):
        return _next(turn)
    run = turn.state.run
    if run is None or run.id != said.run:
        return _next(turn)
    return _about(turn, run, said)


def _about(turn: Turn, run: Run, said: Recorded | NotDone | Observed | LoadSeen | Finished) -> Decision:
    if isinstance(said, Recorded):
        return _recorded(turn, run, said)
    if isinstance(said, NotDone):
        return _not_done(turn, run, said)
    if isinstance(said, Finished):
        text = f"All {run.objects} objects are answered by version {run.model.version if run.model else '?'}."
        text = f"{text} {said.served}".rstrip()
        return _next(turn.ended(Outcome.DONE, text)) if run.stage is Stage.FINISHING else turn.decided()
    if isinstance(said, LoadSeen):
        return _loading(turn, run, said)
    if said.attempt != run.attempt or run.stage is not Stage.RUNNING:
        return turn.decided()
    return _observed(turn, run, said)


def _next(turn: Turn) -> Decision:
    """Return the decision with what the run's stage asks for; without a run, the next one begins."""
    if turn.state.run is None:
        turn = beginning.next_run(turn)
    run = turn.state.run
    if run is None:
        return turn.decided()
    if run.stage is Stage.PLANNED and run.stopping:
        return _next(turn.ended(Outcome.STOPPED, f"It was stopped before it began: {run.stopping}"))
    if run.stage is Stage.PLANNED:
        return turn.decided(Record(run))
    if run.stage is Stage.LOADING:
        return turn.decided(Load(run))
    return turn.decided(Observe(run) if run.stage is Stage.RUNNING else Finish(run))


def _stop_wanted(turn: Turn, said: StopWanted) -> Turn:
    if turn.answered(said.id):
        return turn
    run = turn.state.run
    if run is None:
        return turn.answering(Answer(said.id, accepted=False, text="No run is under way: there is nothing to stop."))
    why = f"{said.by} stopped it{f': {said.reason}' if said.reason else ''}"
    turn = turn.answering(Answer(said.id, accepted=True, text=f"The run {run.id} is being stopped.", run=run.id))
    return turn.with_run(stopping=run.stopping or why).summing_up()


def _recorded(turn: Turn, run: Run, said: Recorded) -> Decision:
    if run.stage is not Stage.PLANNED:
        return turn.decided()
    turn = turn.with_run(
        stage=Stage.RUNNING, model=said.model, objects=said.objects, bytes=said.bytes, left=said.objects, trouble=""
    )
    turn = turn.summing_up().announcing("begun")
    return _next(turn)


def _not_done(turn: Turn, run: Run, said: NotDone) -> Decision:
    if said.permanent and run.stage is Stage.PLANNED:
        return _next(turn.ended(Outcome.FAILED, said.reason))
    turn = _noted(turn, run, said)
    ends = _has_to_end(turn, run, f"lately: {said.reason}")
    under_way = _under_way(turn, run, said)
    if ends is None or under_way is None:
        return turn.decided()
    if under_way:
        return turn.decided(Halt(run) if run.stage is Stage.LOADING else Stop(run))
    return _next(turn.ended(*ends))


def _noted(turn: Turn, run: Run, said: NotDone) -> Turn:
    """Return the turn with trouble that the run goes on in spite of; people are told of it once a step."""
    turn = turn.with_run(trouble=said.reason[:LONGEST_TEXT])
    if said.refused and run.stage is Stage.RUNNING and said.attempt == run.attempt:
        turn = turn.with_run(refused=said.reason[:LONGEST_TEXT])
    elif said.permanent and run.told != run.step:
        text = f"the batch {run.id} does not get on, and tries again each minute: {said.reason}"
        turn = turn.with_run(told=run.step).telling(FAULT, text[:LONGEST_TEXT])
    return turn.summing_up()


def _under_way(turn: Turn, run: Run, said: NotDone) -> bool | None:
    """Return whether a job or loading of the run goes on; None where that is not known."""
    if run.stage not in (Stage.RUNNING, Stage.LOADING):
        return False
    if said.attempt != (run.attempt if run.stage is Stage.RUNNING else run.loading):
        return None
    return None if _may_be_created(turn, run) and not said.under_way else said.under_way


def _well(turn: Turn, run: Run) -> Turn:
    return turn.with_run(trouble="", refused="").summing_up() if run.trouble or run.refused else turn


def _observed(turn: Turn, run: Run, said: Observed) -> Decision:
    ends = _reason_to_end(turn, run, said)
    if said.left != run.left:
        turn = turn.with_run(left=said.left).summing_up()
    if said.job is not None and said.job.status in IN_PROGRESS:
        if not ends:
            return _well(turn, run).decided()
        return turn.decided(Stop(run) if said.job.status != "Stopping" else None)
    if said.left == 0 and not said.changed:
        following = {"stage": Stage.LOADING, "loading": 1} if run.served else {"stage": Stage.FINISHING}
        return _next(turn.with_run(**following, trouble="").summing_up())
    if said.job is None and _may_be_created(turn, run):
        # Somebody may be about to create it; creating it again is harmless, ending the run without it is not.
        return turn.decided() if ends else _creating(turn)
    if ends:
        outcome, text = ends
        return _next(turn.ended(outcome, text))
    if said.job is None and run.attempt:
        return _creating(turn)
    return _again(turn, run, said)


def _may_be_created(turn: Turn, run: Run) -> bool:
    """Return whether somebody who decided to create the run's job may not have done it yet."""
    return run.stage is Stage.RUNNING and run.attempt > 0 and turn.now - run.attempted_at < CREATION_SECONDS


def _creating(turn: Turn) -> Decision:
    turn = turn.with_run(attempted_at=turn.now)
    assert turn.state.run is not None
    return turn.decided(Create(turn.state.run))


def _loading(turn: Turn, run: Run, said: LoadSeen) -> Decision:
    """Follow an attempt to load that has ended by one for what is left; or give up."""
    if said.attempt != run.loading or run.stage is not Stage.LOADING:
        return turn.decided()
    ends = _has_to_end(turn, run, "all objects are answered, and not all answers loaded")
    if said.under_way:
        return turn.decided(Halt(run)) if ends else _well(turn, run).decided()
    if said.left == 0:
        return _next(turn.with_run(stage=Stage.FINISHING, problem="", trouble="").summing_up())
    problem = f"{said.left} of {run.objects} answer files are not loaded: {said.problem}"
    turn = turn.with_run(problem=problem)
    if not ends and run.loading >= turn.plan.batch.attempts:
        ends = Outcome.FAILED, f"{problem} (in {run.loading} attempts)"
    if ends:
        return _next(turn.ended(*ends))
    turn = turn.with_run(loading=run.loading + 1, trouble="")
    return _next(turn.summing_up().announcing("resumed", reason=problem))


def _reason_to_end(turn: Turn, run: Run, said: Observed) -> tuple[Outcome, str] | None:
    if said.changed:
        text = f"The input is not what it was when the run began: {said.changed}. Start another run."
        return Outcome.FAILED, text
    if said.job is None and run.refused:
        return Outcome.FAILED, run.refused
    return _has_to_end(turn, run, f"{run.objects - said.left} of {run.objects} objects are answered")


def _has_to_end(turn: Turn, run: Run, so_far: str) -> tuple[Outcome, str] | None:
    if run.stopping:
        return Outcome.STOPPED, f"{run.stopping}; {so_far}."
    if turn.now - run.decided_at > turn.plan.batch.limit_hours * _HOUR:
        return Outcome.FAILED, f"It has not ended within {turn.plan.batch.limit_hours:g} hours; {so_far}."
    return None


def _again(turn: Turn, run: Run, said: Observed) -> Decision:
    """Follow a job that has ended, or none at all, by one for what is left; or give up."""
    job, plan = said.job, turn.plan
    stalled = 0 if not run.attempt or said.left < run.left_before else run.stalled + 1
    problem = run.problem
    if job is not None:
        why = job.reason or f"{said.left} objects have no output"
        problem = f"{plan.job(run.id, run.attempt)} is {job.status}: {why}"
    if run.attempt >= plan.batch.attempts or stalled >= MOST_STALLED:
        text = f"{said.left} of {run.objects} objects are not answered after {run.attempt} jobs; {problem}"
        return _next(turn.with_run(problem=problem).ended(Outcome.FAILED, text))
    turn = turn.with_run(attempt=run.attempt + 1, left_before=said.left, stalled=stalled, problem=problem)
    turn = turn.with_run(refused="", trouble="").summing_up()
    return _creating(turn if run.attempt == 0 else turn.announcing("resumed", reason=problem))
