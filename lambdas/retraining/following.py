"""Following a run's execution to its end. Pure."""

from lambdas.retraining.decision import NOTICE, Decision, Follow, Stop, Turn, said_at
from lambdas.retraining.ending import end, fail
from lambdas.retraining.said import EXECUTING, SUCCEEDED, Followed, NotStarted, Ordered
from lambdas.retraining.starting import keeps_failing, start_again
from lambdas.retraining.state import Status

_MINUTE = 60.0


def look(turn: Turn) -> Decision:
    """Take the run that is under way as far as it goes now."""
    return start_again(turn) if turn.run.status is Status.INTENDED else turn.decided(Follow(turn.run))


def not_started(turn: Turn, said: NotStarted) -> Decision:
    """Take in that the run could not be started; the next look tries again, unless it is given up."""
    run = turn.run
    if run.status is not Status.INTENDED:
        return turn.decided()  # somebody else has started it meanwhile
    if keeps_failing(turn, said):
        if run.stopping and said.none_began:
            return fail(turn, f"it was stopped because {run.stopping}, before its execution began")
        return fail(turn, f"its execution could not be started: {said.reason}")
    if said.reason == run.problem:
        return turn.decided()
    text = f"The run {run.id} could not be started yet, and is tried again: {said.reason}"
    return turn.with_run(problem=said.reason).saying("hold", text, run.id).decided()


def followed(turn: Turn, said: Followed) -> Decision:
    """Take in how the run's execution stands."""
    if said.status in EXECUTING:
        return _go_on(turn, said)
    if said.conclusion is not None:
        # The last step's own word counts even if the execution failed after it was written.
        return end(turn, said.conclusion)
    run = turn.run
    if said.status == SUCCEEDED:
        why = said.failure or "it left no outcome.json"
        return fail(turn, f"its execution ended well but {why}; look at {run.execution}")
    stopped = f"it was stopped because {run.stopping}" if run.stopping else f"its execution is {said.status}"
    return fail(turn, f"{stopped}{': ' if said.failure else ''}{said.failure}")


def _go_on(turn: Turn, said: Followed) -> Decision:
    run, limit = turn.run, turn.settings.run_limit_minutes
    if not run.stopping and turn.now > run.decided_at + limit * _MINUTE:
        hours = (turn.now - run.decided_at) / 3600
        turn = _stopping(turn, f"it has taken {hours:.1f} hours, and {limit / 60:.1f} are allowed (run_limit_minutes)")
    if turn.run.stopping and said.status != "Stopping":
        return turn.decided(Stop(turn.run))
    return turn.decided()


def _stopping(turn: Turn, why: str) -> Turn:
    text = f"The run {turn.run.id} is stopped because {why}."
    turn = turn.with_run(stopping=why).saying("stop", text, turn.run.id)
    return turn.telling(NOTICE, f"{turn.state.name}: retraining is stopped", text)


def order_stop(turn: Turn, ordered: Ordered) -> Decision:
    """Stop the run because an operator says so."""
    if turn.state.run is None:
        text = f"{ordered.by} ordered to stop, but no run is under way. Nothing is done."
        return turn.saying("command", text, command=ordered.id, accepted=False, by=ordered.by).decided()
    run = turn.run
    why = f"{ordered.by} ordered it{f': {ordered.reason}' if ordered.reason else ''}"
    text = f"{ordered.by} ordered to stop the run {run.id} of {said_at(run.decided_at)}. It is stopped."
    turn = turn.with_run(stopping=run.stopping or why)
    turn = turn.saying("command", text, run.id, command=ordered.id, accepted=True, by=ordered.by)
    return look(turn)
