"""Gives a command about retraining and waits for the answer, which is an entry of retraining's audit trail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tidegate import retraining
from tidegate.answers import LONGEST_SECONDS, Pace, await_answer
from tidegate.aws import Aws
from tidegate.command_events import RetrainEvent, put
from tidegate.errors import OperatorError
from tidegate.retraining import Entry
from tidegate.settings import EndpointSettings


@dataclass(frozen=True)
class Answer:
    """What was said to a command: whether it is obeyed, and the entry that says what happens, or why not."""

    event: RetrainEvent
    accepted: bool
    entry: Entry


class Asking:
    """A command about retraining that has been given, or was before under the same id.

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
        self, aws: Aws, endpoint: EndpointSettings, event: RetrainEvent, pace: Pace, *, repeated: bool
    ) -> None:
        self._aws = aws
        self._endpoint = endpoint
        self._event = event
        self._pace = pace
        self._deadline = pace.now() + LONGEST_SECONDS
        # Counted before the command is given or looked up, so that no answer comes unseen in between.
        self._after = retraining.load(aws, endpoint).audit_count
        self._given = self._look(0) if repeated else None
        if self._given is None:
            put(aws, event, pace.sleep)

    def wait(self, tick: Callable[[float], None] = lambda _: None) -> Answer:
        """Return the answer; `tick` is told now and then for how long it has been waited.

        Raises
        ------
        OperatorError
            When none comes in time.
        """
        entry = await_answer(self._known, self._unanswered, self._pace, self._deadline, tick)
        return Answer(self._event, bool(entry.numbers.get("accepted")), entry)

    def _known(self) -> Entry | None:
        return self._given or self._look(self._after)

    def _look(self, after: int) -> Entry | None:
        found = retraining.trail_after(self._aws, self._endpoint, after)
        return next((entry for entry in found if entry.answers(self._event.id)), None)

    def _unanswered(self) -> OperatorError:
        event = self._event
        return OperatorError(
            f"no answer to retrain {event.command} from {event.endpoint} in {LONGEST_SECONDS:.0f} s; EventBridge has "
            "it, and it may still be obeyed",
            f"run it again with --id {event.id}: it is obeyed once, and you get its answer",
        )
