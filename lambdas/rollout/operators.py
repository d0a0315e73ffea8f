"""Takes operators' commands in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambdas.rollout.commands import submit
from lambdas.rollout.errors import ConflictError
from lambdas.rollout.ports import Ports
from lambdas.rollout.state import Command, State

TRIES = 5
MOST_WAITING = 20
_LONGEST_NAME, _LONGEST_REASON = 128, 500


def read_command(detail: Mapping[str, Any], event_id: str, at: float) -> tuple[str, Command]:
    """Return the endpoint that an operator's event names, and the command.

    Fields of the event: ``endpoint`` and ``command``; optionally ``id`` (the event's own by default), ``rollout``
    (whichever is active by default), ``by`` and ``reason``. Long texts are cut, for they become part of the item.
    """

    def name(field: str) -> str:
        return str(detail.get(field) or "")[:_LONGEST_NAME]

    return str(detail["endpoint"])[:_LONGEST_NAME], Command(
        id=name("id") or event_id,
        kind=str(detail["command"])[:_LONGEST_NAME],
        at=at,
        by=name("by") or "an operator",
        reason=str(detail.get("reason") or "")[:_LONGEST_REASON],
        rollout=name("rollout") or None,
    )


def take_command(ports: Ports, name: str, command: Command) -> None:
    """Make a command durable, once however often its event comes.

    Raises
    ------
    ConflictError
        When the endpoint's item kept changing; the event must come again.
    """
    for _ in range(TRIES):
        state, now = ports.store.load(name), ports.clock.now()
        if state is not None and _is_full(state, command):
            ports.log.warning(f"the command {command.kind} ({command.id}) is refused: {MOST_WAITING} commands wait")
            return
        waiting = submit(_with_room(state), command) if state is not None and not state.retired else None
        if waiting is None:
            ports.log.info(f"the command {command.kind} ({command.id}) has nothing to act on or was taken before")
            return
        try:
            ports.store.save(replace(waiting, wake=now), now=now)
        except ConflictError:
            continue
        return
    raise ConflictError(f"the item of {name} changed {TRIES} times while a command was being taken")


def _with_room(state: State) -> State:
    return replace(state, commands=state.commands[: MOST_WAITING - 1])


def _is_full(state: State, command: Command) -> bool:
    # An abort takes the place of the one that would have been obeyed last.
    return len(state.commands) >= MOST_WAITING and command.kind != "abort"
