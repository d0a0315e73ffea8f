"""What has failed is tried again while its package is approved; the engine would drop it otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.unit.tidegate.conftest import client_error
from tests.unit.tidegate.states import FLEET, IDLE, NEXT, rolling
from tidegate import cli, registry
from tidegate.commands import context as surroundings

Run = Callable[..., int]
AGAIN = (["retry"], ["promote", "--full"])


@pytest.fixture
def run(account: Any, endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command line where a version has failed, which the registry has as number 1."""
    monkeypatch.setattr(surroundings, "open_environment", lambda _: account.aws)
    request = registry._request(endpoint, "s3://bucket/model.tar.gz", "1.3.0", "", {})
    arn = account.sagemaker.create_model_package(**request)["ModelPackageArn"]
    account.record(replace(IDLE, failed=replace(NEXT, package_arn=arn)))
    account.answer()
    return lambda *argv: cli.main([*argv])


def decide(account: Any, approval: str) -> None:
    account.sagemaker.packages[0]["ModelApprovalStatus"] = approval


@pytest.mark.parametrize("argv", AGAIN)
@pytest.mark.parametrize("approval", ["Rejected", "PendingManualApproval"])
def test_a_version_that_is_not_approved_is_not_tried_again(
    run: Run, account: Any, capsys: pytest.CaptureFixture[str], argv: list[str], approval: str
) -> None:
    decide(account, approval)
    assert run(*argv) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert f"1.3.0 is {approval}, not Approved: it would not be rolled out" in said
    assert "approve it, which starts its rollout: python -m tidegate approve --version 1.3.0" in said
    assert account.events.taken == []


@pytest.mark.parametrize("argv", AGAIN)
def test_an_approved_version_is_tried_again(run: Run, account: Any, argv: list[str]) -> None:
    decide(account, "Approved")
    assert run(*argv) == 0
    assert len(account.events.taken) == 1


@pytest.mark.parametrize(
    "state",
    [
        rolling(),
        replace(IDLE, failed=NEXT, queued=NEXT),
        replace(IDLE, failed=NEXT, failed_fleet=FLEET, desired_fleet=replace(FLEET, instance_type="ml.g6.xlarge")),
        replace(IDLE, failed=replace(NEXT, container=None)),
        IDLE,
    ],
    ids=["a rollout is under way", "another waits", "a fleet has failed", "it is cloned", "nothing has failed"],
)
def test_the_engine_answers_where_no_package_counts(
    run: Run, account: Any, monkeypatch: pytest.MonkeyPatch, state: Any
) -> None:
    account.record(state)
    monkeypatch.delattr(type(account.sagemaker), "describe_model_package")
    assert run("retry") == 0
    assert len(account.events.taken) == 1


@pytest.mark.parametrize(
    "error",
    [
        client_error("AccessDeniedException", "not authorized to perform: sagemaker:DescribeModelPackage"),
        ReadTimeoutError(endpoint_url="https://api.sagemaker.us-east-1.amazonaws.com"),
    ],
    ids=["denied", "no answer"],
)
def test_the_engine_answers_where_the_package_cannot_be_looked_at(
    run: Run, account: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def deny(**_: Any) -> None:
        raise error

    monkeypatch.setattr(account.sagemaker, "describe_model_package", deny)
    assert run("retry") == 0
    assert len(account.events.taken) == 1


def test_what_was_answered_before_is_told_again_whatever_is_approved_now(run: Run, account: Any) -> None:
    decide(account, "Approved")
    assert run("retry", "--id", "c-1") == 0
    decide(account, "Rejected")
    assert run("retry", "--id", "c-1") == 0
    assert len(account.events.taken) == 1
