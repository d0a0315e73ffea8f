"""The registry is emptied only when its whole stack goes."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.rollout.adapters.appconfig import HostedVersions
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


class AppConfig:
    """Versions of a profile, two to a page, as its client shows them."""

    def __init__(self, *numbers: int, code: str = "ResourceNotFoundException") -> None:
        self.numbers, self._code = list(numbers), code

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_hosted_configuration_versions"
        return self

    def paginate(self, ApplicationId: str, ConfigurationProfileId: str) -> Any:
        assert (ApplicationId, ConfigurationProfileId) == ("app", "profile")
        if not self.numbers:
            raise self._refused("ListHostedConfigurationVersions")
        for first in range(0, len(self.numbers), 2):
            yield {"Items": [{"VersionNumber": number} for number in self.numbers[first : first + 2]]}

    def delete_hosted_configuration_version(self, VersionNumber: int, **_: Any) -> None:
        if VersionNumber == 13:
            raise self._refused("DeleteHostedConfigurationVersion")
        self.numbers.remove(VersionNumber)

    def _refused(self, operation: str) -> ClientError:
        return ClientError({"Error": {"Code": self._code, "Message": "no"}}, operation)


def delete_versions(appconfig: AppConfig, has_time: Any = lambda: True) -> bool:
    versions = HostedVersions(Lazy("appconfig", lambda service: appconfig))
    return versions.delete_all_but("2", "app", "profile", has_time)


def test_versions_of_operators_go_and_cloudformations_own_stays_however_often_it_is_done() -> None:
    appconfig = AppConfig(5, 4, 3, 2, 1)
    assert delete_versions(appconfig)
    assert delete_versions(appconfig)
    assert appconfig.numbers == [2]


def test_versions_are_deleted_while_there_is_time_and_the_next_call_goes_on() -> None:
    appconfig = AppConfig(5, 4, 3, 2, 1)
    time = iter([True, True, False])
    assert not delete_versions(appconfig, lambda: next(time))
    assert appconfig.numbers == [3, 2, 1]
    assert delete_versions(appconfig)
    assert appconfig.numbers == [2]


def test_versions_and_profiles_that_are_gone_are_no_fault() -> None:
    assert delete_versions(AppConfig())
    assert delete_versions(AppConfig(13, 2))


@pytest.mark.parametrize("numbers", [(), (13,)])
def test_a_refusal_of_appconfig_is_told(numbers: tuple[int, ...]) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        delete_versions(AppConfig(*numbers, code="AccessDenied"))
