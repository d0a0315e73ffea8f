"""Requests to an endpoint's rollouts: from operators, and from approvals that were withdrawn."""

import math
from collections.abc import Callable
from dataclasses import replace

from lambdas.rollout.abort import abort
from lambdas.rollout.decision import ANEW, Decision, Entry, Turn
from lambdas.rollout.state import FORWARD, REMEMBERED_COMMANDS, Command, Kind, Phase, State

RETRY = "retry"
KINDS = ("abort", "pause", "resume", "promote", RETRY)
_WATCHING = (Phase.BAKE, Phase.SOAK)


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
    if refusal := _refusal(turn, command):
        text = f"{command.by} asked to {command.kind}, but {refusal}. Nothing is done."
        return _said(turn, _entry(turn, text))
    return _OBEY[command.kind](turn, command)


def _refusal(turn: Turn, command: Command) -> str | None:
    if command.kind not in KINDS:
        return f"known are {', '.join(KINDS)}"
    if command.kind == RETRY:
        failed = turn.state.failed_fleet is not None and turn.state.fleet_gap
        return None if failed else "no change of the fleet has failed"
    return next((found for check in _CHECKS if (found := check(turn, command))), None)


def _not_under_way(turn: Turn, command: Command) -> str | None:
    rollout = turn.state.rollout
    if rollout is not None and command.rollout in (None, rollout.id):
        return None
    return f"{command.rollout or 'a rollout'} is not under way"


def _meant_for_an_earlier_one(turn: Turn, command: Command) -> str | None:
    # Events carry whole seconds.
    if command.rollout is not None or command.at >= math.floor(turn.rollout.started_at):
        return None
    return f"that was before the rollout {turn.rollout.id} of {turn.rollout.version} started; name it if it is meant"


def _past_changing(turn: Turn, _command: Command) -> str | None:
    rollout = turn.rollout
    if rollout.phase in FORWARD:
        return None
    way_out = f". {_way_back(turn)}" if rollout.abort_reason is None else ""
    return f"the rollout is in {rollout.phase} and cannot be stopped or changed{way_out}"


def _way_back(turn: Turn) -> str:
    live = turn.state.live
    if turn.rollout.kind is Kind.FLEET:
        return "To go back once it is over, declare the fleet that was live before, and deploy"
    if live.package_arn is None:
        return (
            f"The version before, {live.version}, is not in the registry: to go back once this is over, register its "
            "artefact as a version and approve that"
        )
    return f"To go back once it is over to {live.version}: {ANEW}"


def _not_watching(turn: Turn, command: Command) -> str | None:
    if command.kind != "promote" or turn.rollout.phase in _WATCHING:
        return None
    return f"the rollout is in {turn.rollout.phase}, where nothing is being watched; ask again in BAKE or SOAK"


_CHECKS: tuple[Callable[[Turn, Command], str | None], ...] = (
    _not_under_way,
    _meant_for_an_earlier_one,
    _past_changing,
    _not_watching,
)


def _entry(turn: Turn, text: str) -> Entry:
    return turn.entry("command", text) if turn.state.rollout else Entry("command", text)


def _said(turn: Turn, entry: Entry) -> Decision:
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


def _retry(turn: Turn, command: Command) -> Decision:
    text = f"{command.by} asked to roll {turn.state.live.version} out onto the declared fleet again."
    return _said(replace(turn, state=replace(turn.state, failed_fleet=None)), _entry(turn, text))


_OBEY = {"abort": _abort, "pause": _pause, "resume": _resume, "promote": _promote, RETRY: _retry}
