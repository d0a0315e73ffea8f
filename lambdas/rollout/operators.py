"""Takes operators' commands in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambdas.rollout.commands import answered, is_taken, submit
from lambdas.rollout.decision import Entry
from lambdas.rollout.effects import command_entry
from lambdas.rollout.errors import ConflictError, RetryableError
from lambdas.rollout.ports import Ports
from lambdas.rollout.state import Command, State
from lambdas.rollout.targets import find_target

TRIES = 5
MOST_WAITING = 20
_LONGEST_NAME, _LONGEST_TARGET, _LONGEST_REASON = 128, 256, 500
_ROLLBACK = "rollback"


def read_command(detail: Mapping[str, Any], event_id: str, at: float) -> tuple[str, Command]:
    """Return the endpoint that an operator's event names, and the command.

    Fields of the event: ``endpoint`` and ``command``; optionally ``id`` (the event's own by default), ``rollout``
    (whichever is active by default), ``by`` and ``reason``; with promote ``full``, with rollback ``to``. Long texts are
    cut, for they become part of the item.
    """

    def text(field: str, longest: int = _LONGEST_NAME) -> str:
        return str(detail.get(field) or "")[:longest]

    return str(detail["endpoint"])[:_LONGEST_NAME], Command(
        id=text("id") or event_id,
        kind=str(detail["command"])[:_LONGEST_NAME],
        at=at,
        by=text("by") or "an operator",
        reason=text("reason", _LONGEST_REASON),
        rollout=text("rollout") or None,
        full=text("full").lower() == "true",
        to=text("to", _LONGEST_TARGET),
    )


def take_command(ports: Ports, name: str, command: Command) -> None:
    """Make a command durable, once however often its event comes.

    Raises
    ------
    ConflictError
        When the endpoint's item kept changing; the event must come again.
    RetryableError
        When the table could not be asked; the event must come again, which takes a minute.
    """
    for _ in range(TRIES - 1):
        try:
            return _take_once(ports, name, command)
        except (ConflictError, RetryableError) as error:
            ports.log.warning(f"{_named(command)} is taken in once more: {error}")
    return _take_once(ports, name, command)


def _take_once(ports: Ports, name: str, command: Command) -> None:
    state, now = ports.store.load(name), ports.clock.now()
    if state is None or state.retired:
        ports.log.warning(f"{_named(command)} is for {name}, which is not in Tidegate's care: nothing is done")
        return
    if is_taken(state, command):
        ports.log.info(f"{_named(command)} was taken before")
        return
    taken, entries = _taken(ports, state, command)
    for entry in entries:
        ports.log.warning(entry.text)
    ports.store.save(replace(taken, wake=now), entries, now=now)


def _named(command: Command) -> str:
    return f"the command {command.kind} ({command.id}) of {command.by}"


def _taken(ports: Ports, state: State, command: Command) -> tuple[State, list[Entry]]:
    """Return the state with the command waiting, or refused at once, and the entries of what is refused."""
    if crowded := _crowded_out(state, command):
        return answered(state, command), [_refused(state, command, crowded)]
    # An abort takes the place of the one that would have been obeyed last.
    dropped = state.commands[MOST_WAITING - 1 :]
    state = answered(replace(state, commands=state.commands[: MOST_WAITING - 1]), *dropped)
    entries = [
        _refused(state, each, f"{command.by} asked to abort, and {MOST_WAITING} commands wait") for each in dropped
    ]
    command = find_target(ports, state, command) if command.kind == _ROLLBACK else command
    return submit(state, command) or state, entries


def _crowded_out(state: State, command: Command) -> str:
    if command.kind == _ROLLBACK and any(each.kind == _ROLLBACK for each in state.commands):
        # Each may carry a description of a container, and all must fit into the item.
        return "another rollback waits to be obeyed; ask again once that has been"
    full = len(state.commands) >= MOST_WAITING and command.kind != "abort"
    return f"{MOST_WAITING} commands wait to be obeyed; ask again once they have been" if full else ""


def _refused(state: State, command: Command, why: str) -> Entry:
    text = f"{command.by} asked to {command.kind}, but {why}. Nothing is done."
    return command_entry(state.rollout, command, text, accepted=False)
