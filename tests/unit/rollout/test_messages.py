"""A message that fails for a passing reason is tried again at once: its queue brings it back only after minutes."""

from typing import Any

import pytest

from lambdas.rollout.adapters.clients import time_limit
from lambdas.rollout.errors import ConflictError, PermanentError, TimedOutError
from lambdas.rollout.handlers.batch import PAUSES, at_once_again, each_message

EVENT = {"Records": [{"messageId": "m1", "body": '{"a": 1}'}]}


class Handling:
    """Handles messages, after it has failed as often as it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.handled: list[Any] = []
        self.slept: list[float] = []

    def __call__(self, message: dict[str, Any]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.handled.append(message)

    def again(self) -> list[str]:
        answer = each_message(EVENT, at_once_again(self, self.slept.append))
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def test_a_command_is_taken_in_though_the_table_is_slow_at_first() -> None:
    handling = Handling(TimedOutError("slow"), ConflictError("changed"))
    assert handling.again() == []
    assert handling.handled == [{"a": 1}]
    assert handling.slept == list(PAUSES[:2])


def test_what_keeps_failing_is_left_to_the_queue() -> None:
    handling = Handling(*[TimedOutError("away")] * 10)
    assert handling.again() == ["m1"]
    assert handling.slept == list(PAUSES)


def test_what_would_fail_again_is_not_tried_again() -> None:
    handling = Handling(PermanentError("no such command"))
    assert handling.again() == ["m1"]
    assert handling.slept == []


def test_nothing_is_tried_again_when_there_is_no_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "_ends", 0.0)
    handling = Handling(TimedOutError("away"))
    assert handling.again() == ["m1"]
    assert handling.slept == []
