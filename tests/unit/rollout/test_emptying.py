"""The registry is emptied only when its whole stack goes."""

from typing import Any

import pytest

from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.cloudformation import Stacks
from lambdas.rollout.errors import RetryableError
from lambdas.rollout.handlers import empty
from lambdas.rollout.handlers.custom_resource import Request, UnfinishedError


def request(kind: str) -> Request:
    return Request(kind, {}, "Emptied", "owner", lambda: 100.0, identity="Emptied", stack="stack-1")


class Emptier:
    """Notes whether it was told to empty."""

    def __init__(self, *, done: bool = True) -> None:
        self.called, self._done = False, done

    def __call__(self, _request: Request) -> bool:
        self.called = True
        return self._done


@pytest.mark.parametrize(
    ("status", "emptied"),
    [
        ("DELETE_IN_PROGRESS", True),
        ("ROLLBACK_IN_PROGRESS", True),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", False),
        ("UPDATE_IN_PROGRESS", False),
        ("UPDATE_ROLLBACK_IN_PROGRESS", False),
        ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", False),
    ],
)
def test_deletion_of_the_resource_empties_only_when_its_stack_goes(status: str, emptied: bool) -> None:
    emptier = Emptier()
    asked: list[str] = []
    answer = empty.act(request("Delete"), lambda stack: asked.append(stack) or status, emptier)  # type: ignore[func-returns-value]
    assert (asked, emptier.called, answer.physical_id) == (["stack-1"], emptied, "Emptied")


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_nothing_is_emptied_by_a_deploy(kind: str) -> None:
    emptier = Emptier()
    empty.act(request(kind), lambda stack: "DELETE_IN_PROGRESS", emptier)
    assert not emptier.called


def test_nothing_is_emptied_when_the_stack_cannot_be_looked_at() -> None:
    def refused(stack: str) -> str:
        raise RetryableError("Throttling: Rate exceeded")

    emptier = Emptier()
    with pytest.raises(RetryableError):
        empty.act(request("Delete"), refused, emptier)
    assert not emptier.called


def test_emptying_that_ran_out_of_time_fails_with_what_to_do() -> None:
    with pytest.raises(UnfinishedError, match="delete the stack again"):
        empty.act(request("Delete"), lambda stack: "DELETE_IN_PROGRESS", Emptier(done=False))


def test_status_is_that_of_the_stack_with_this_id() -> None:
    class CloudFormation:
        def describe_stacks(self, **asked: Any) -> Any:
            return {"Stacks": [{"StackStatus": f"{asked['StackName']} is CREATE_COMPLETE"}]}

    stacks = Stacks(Lazy("cloudformation", lambda service: CloudFormation()))
    assert stacks.status("arn:1") == "arn:1 is CREATE_COMPLETE"
