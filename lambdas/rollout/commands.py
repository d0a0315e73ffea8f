"""Requests to the active rollout: from operators, and from approvals that were withdrawn."""

from dataclasses import replace

from lambdas.rollout.abort import abort
from lambdas.rollout.decision import Decision, Entry, Turn
from lambdas.rollout.state import FORWARD, REMEMBERED_COMMANDS, Command, State

KINDS = ("abort", "pause", "resume", "promote")


def submit(state: State, command: Command) -> State | None:
    """Return the state with the command waiting, or None when its id has been taken before."""
    if command.id in state.seen or any(waiting.id == command.id for waiting in state.commands):
        return None
    return replace(state, commands=(*state.commands, command))


def obey_commands(turn: Turn) -> Decision | None:
    """Obey the command that has waited longest; its id is remembered in the same write, so that it has one effect."""
    if not turn.state.commands:
        return None
    command, *rest = turn.state.commands
    seen = (*turn.state.seen, command.id)[-REMEMBERED_COMMANDS:]
    turn = replace(turn, state=replace(turn.state, commands=tuple(rest), seen=seen))
    return _refusal(turn, command) or _OBEY[command.kind](turn, command)


def _refusal(turn: Turn, command: Command) -> Decision | None:
    rollout, asked = turn.state.rollout, f"{command.by} asked to {command.kind}"
    if rollout is None or command.rollout not in (None, rollout.id):
        text = f"{asked} {command.rollout or 'the rollout'}, but that is not under way; nothing is done."
        return _unmoved(turn, Entry("command", text, rollout=command.rollout))
    if command.kind not in _OBEY:
        return _unmoved(turn, turn.entry("command", f"{asked}; known are {', '.join(KINDS)}. Nothing is done."))
    if rollout.phase not in FORWARD:
        way_out = "To go back, approve the version that was live before." if rollout.abort_reason is None else ""
        text = f"{asked}, but the rollout is in {rollout.phase} and cannot be stopped or changed. {way_out}".strip()
        return _unmoved(turn, turn.entry("command", text))
    return None


def _unmoved(turn: Turn, entry: Entry) -> Decision:
    return Decision(turn.state, wake_at=turn.now, entries=(entry,))


def _abort(turn: Turn, command: Command) -> Decision:
    reason = f": {command.reason}" if command.reason else ""
    return abort(turn, f"{command.by} asked for it{reason}")


def _pause(turn: Turn, command: Command) -> Decision:
    text = f"{command.by} paused the rollout: it goes no further until resumed; alarms still roll it back."
    return turn.again(turn.entry("command", text), paused=True)


def _resume(turn: Turn, command: Command) -> Decision:
    return turn.again(turn.entry("command", f"{command.by} resumed the rollout."), paused=False)


def _promote(turn: Turn, command: Command) -> Decision:
    text = f"{command.by} asked to go on: the present step need not be watched any longer, but must be healthy."
    return turn.again(turn.entry("command", text), bake_skipped=True)


_OBEY = {"abort": _abort, "pause": _pause, "resume": _resume, "promote": _promote}
