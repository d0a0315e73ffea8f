"""Takes operators' commands in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambdas.rollout.commands import submit
from lambdas.rollout.errors import ConflictError
from lambdas.rollout.ports import Ports
from lambdas.rollout.state import Command

TRIES = 5


def read_command(detail: Mapping[str, Any], event_id: str, at: float) -> tuple[str, Command]:
    """Return the endpoint that an operator's event names, and the command.

    Fields of the event: ``endpoint`` and ``command``; optionally ``id`` (the event's own by default), ``rollout``
    (whichever is active by default), ``by`` and ``reason``.
    """
    return str(detail["endpoint"]), Command(
        id=str(detail.get("id") or event_id),
        kind=str(detail["command"]),
        at=at,
        by=str(detail.get("by") or "an operator"),
        reason=str(detail.get("reason") or ""),
        rollout=str(detail["rollout"]) if detail.get("rollout") else None,
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
        waiting = submit(state, command) if state is not None and not state.retired else None
        if waiting is None:
            ports.log.info(f"the command {command.kind} ({command.id}) has nothing to act on or was taken before")
            return
        try:
            ports.store.save(replace(waiting, wake=now), now=now)
        except ConflictError:
            continue
        return
    raise ConflictError(f"the item of {name} changed {TRIES} times while a command was being taken")
