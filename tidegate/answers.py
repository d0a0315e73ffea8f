"""Gives a command and waits for the engine's answer, which is an entry of the audit trail."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lambdas.rollout.state import State
from tidegate import rollouts
from tidegate.aws import Aws
from tidegate.command_events import CommandEvent, put
from tidegate.errors import OperatorError, UsageError
from tidegate.rollouts import AuditEntry
from tidegate.settings import EndpointSettings
from tidegate.trail import Trail
from tidegate.trying_again import check_approval

LOOK_SECONDS = 0.5
LONGEST_SECONDS = 30.0

Found = TypeVar("Found")


@dataclass(frozen=True)
class Answer:
    """What the engine said to a command.

    Parameters
    ----------
    event
        The command.
    accepted
        Whether it is obeyed.
    entry
        The audit entry that says what happens, or why it is refused.
    """

    event: CommandEvent
    accepted: bool
    entry: AuditEntry


@dataclass(frozen=True)
class Pace:
    """Time, for a test to make it pass."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def await_answer(
    look: Callable[[], Found | None],
    unanswered: Callable[[], OperatorError],
    pace: Pace,
    deadline: float,
    tick: Callable[[float], None],
) -> Found:
    """Look for an answer until it is there, or raise what `unanswered` returns once `deadline` has passed.

    `tick` is told now and then for how long it has been waited.
    """
    while (answer := look()) is None:
        if pace.now() >= deadline:
            raise unanswered()
        pace.sleep(LOOK_SECONDS)
        tick(pace.now() - deadline + LONGEST_SECONDS)
    return answer


class Asking:
    """A command that has been given, or was before under the same id.

    Parameters
    ----------
    aws, endpoint
        To whom.
    event
        The command.
    pace
        Time.
    repeated
        Whether the id may have been used before, so that the answer may be there already.
    """

    def __init__(
        self, aws: Aws, endpoint: EndpointSettings, event: CommandEvent, pace: Pace, *, repeated: bool
    ) -> None:
        self._aws = aws
        self._endpoint = endpoint
        self._event = event
        self._pace = pace
        self._deadline = pace.now() + LONGEST_SECONDS
        # Begun before the command is given or looked up, so that no answer comes unseen in between.
        self._trail = Trail.from_now(aws, endpoint)
        self._given = rollouts.answer_to(aws, endpoint, event.id) if repeated else None
        if self._given is None:
            check_approval(aws, endpoint, self._listener(), event)
            put(aws, event, pace.sleep)

    def _listener(self) -> State:
        state, name = rollouts.load(self._aws, self._endpoint), self._endpoint.name
        if state is None or state.retired:
            why = "has been retired" if state else "is not known to the engine yet"
            raise OperatorError(f"{name} {why}: no command can reach it", "deploy its environment")
        return state

    def wait(self, tick: Callable[[float], None] = lambda _: None) -> Answer:
        """Return the answer; `tick` is told now and then for how long it has been waited.

        Raises
        ------
        OperatorError
            When none comes in time.
        """
        return await_answer(self._look, self._unanswered, self._pace, self._deadline, tick)

    def _look(self) -> Answer | None:
        entry = self._given or next((each for each in self._trail.fresh() if each.answers(self._event.id)), None)
        if entry is None:
            return None
        name = str(entry.numbers.get("name", self._event.command))
        if name != self._event.command:
            raise UsageError(
                f"the id {self._event.id} was that of the command {name}, not {self._event.command}; nothing is done",
                "leave --id out, or give one that is new",
            )
        return Answer(self._event, bool(entry.numbers.get("accepted")), entry)

    def _unanswered(self) -> OperatorError:
        state, event = rollouts.load(self._aws, self._endpoint), self._event
        if state is not None and event.id in {waiting.id for waiting in state.commands}:
            fate = "it is durable and will be obeyed once the engine looks at the endpoint"
        elif state is not None and event.id in state.seen:
            fate = "it was obeyed, but its entry is not in the audit trail yet"
        else:
            fate = "EventBridge has it, but the engine has not made it durable yet and may still do so"
        again = f"run it again with --id {event.id}: it is obeyed once, and you get its answer"
        return OperatorError(
            f"no answer to {event.command} from {event.endpoint} in {LONGEST_SECONDS:.0f} s; {fate}", again
        )
