"""The controller: what to make durable and what to do about one thing that it is told. Pure."""

from dataclasses import replace

from lambdas.retraining import approving, following, starting
from lambdas.retraining.decision import Decision, Turn
from lambdas.retraining.said import (
    Approved,
    DataCame,
    Drifted,
    Followed,
    Given,
    Look,
    NotStarted,
    Ordered,
    Started,
)
from lambdas.retraining.settings import Settings
from lambdas.retraining.state import REMEMBERED_EVENTS, REMEMBERED_WINDOWS, State

_ABOUT_A_RUN = (Started, NotStarted, Followed)
START, STOP = "start", "stop"


def decide(state: State, given: Given, now: float, settings: Settings) -> Decision:
    """Return what to make durable, and what to do once it is.

    What starts a run is a level, not an event: the windows that are known, the time, the latest data. So events in
    another order, twice or never change nothing in the end, and what stood against a run is asked again at every look.

    Parameters
    ----------
    state
        What is durable.
    given
        What the controller is told, and what is live.
    now
        Epoch seconds.
    settings
        When and how the model is retrained.
    """
    turn = _of_the_live(Turn(state, given, now, settings))
    said = given.said
    if isinstance(said, _ABOUT_A_RUN):
        return _about_run(turn, said)
    if isinstance(said, Approved):
        return approving.approved(turn, said)
    if isinstance(said, Ordered):
        return _obey(turn, said)
    turn = _taken_in(turn)
    if turn.state.run is not None:
        # Evidence that comes meanwhile is noted, and starts nothing: what is under way is told by a look.
        return following.look(turn) if isinstance(said, Look) else starting.start_if_due(turn)
    if turn.state.approval is not None:
        return approving.go_on(turn)
    return starting.start_if_due(turn)


def _of_the_live(turn: Turn) -> Turn:
    """Begin drift's history anew when another version has gone live: what was seen before is about the old one."""
    state, key = turn.state, turn.live.champion.key
    turn = turn if state.scheduled_from else turn.having(scheduled_from=turn.now)
    if state.champion == key:
        return turn
    if state.champion:
        text = f"{turn.live.champion.version} has gone live: windows of traffic before that no longer count."
        turn = turn.saying("champion", text, forgotten=len(state.windows))
        turn = turn.having(fresh_from=turn.now, windows=())
    return turn.having(champion=key, refused="")


def _about_run(turn: Turn, said: Started | NotStarted | Followed) -> Decision:
    run = turn.state.run
    if run is None or run.id != said.run:
        return turn.decided()  # somebody else has heard of it before
    if isinstance(said, Started):
        return starting.started(turn, said)
    return following.not_started(turn, said) if isinstance(said, NotStarted) else following.followed(turn, said)


def _obey(turn: Turn, said: Ordered) -> Decision:
    if said.id in turn.state.seen:
        return turn.decided()
    turn = _seen(turn, said.id)
    if said.command == STOP:
        return following.order_stop(turn, said)
    if said.command == START:
        return starting.order(turn, said)
    text = f"{said.by} ordered {said.command!r}, which is neither {START} nor {STOP}. Nothing is done."
    return turn.saying("command", text, command=said.id, accepted=False, by=said.by).decided()


def _taken_in(turn: Turn) -> Turn:
    said = turn.given.said
    if isinstance(said, Drifted):
        return _with_window(turn, said)
    if isinstance(said, DataCame):
        # Not remembered: taken in twice it says the same, and many of them would push commands out of what was seen.
        return turn.having(data_at=max(turn.state.data_at, said.at))
    return turn


def _with_window(turn: Turn, said: Drifted) -> Turn:
    state, window = turn.state, said.window
    if window.start < state.fresh_from or any(each.id == window.id for each in state.windows):
        return turn
    windows = sorted((*state.windows, window), key=lambda each: (each.start, each.id))
    return replace(turn, state=replace(state, windows=tuple(windows[-REMEMBERED_WINDOWS:])))


def _seen(turn: Turn, identity: str) -> Turn:
    return turn.having(seen=(*turn.state.seen, identity)[-REMEMBERED_EVENTS:])
