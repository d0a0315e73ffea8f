from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from tidegate import cli
from tidegate.environments import nothing_deployed
from tidegate.errors import OperatorError, UsageError
from tidegate.settings import find_endpoint, parse


def test_an_endpoint_is_found_by_its_short_and_its_full_name(account: Any) -> None:
    account.deploy("hail-local")
    assert find_endpoint(account.aws, "local", "rain").name == "rain-local"
    assert find_endpoint(account.aws, "local", "hail-local").name == "hail-local"


def test_the_only_endpoint_need_not_be_named(account: Any) -> None:
    found = find_endpoint(account.aws, "local", None)
    assert found.name == "rain-local"
    assert found.table == "tidegate-local-rollouts"
    assert found.step_weights == [10.0, 25.0, 50.0, 100.0]


def test_two_endpoints_must_be_told_apart(account: Any) -> None:
    account.deploy("hail-local")
    with pytest.raises(UsageError, match="which endpoint") as raised:
        find_endpoint(account.aws, "local", None)
    assert "hail-local, rain-local" in raised.value.hint


def test_an_unknown_endpoint_is_told_with_those_that_exist(account: Any) -> None:
    with pytest.raises(UsageError, match="no endpoint 'snow'") as raised:
        find_endpoint(account.aws, "local", "snow")
    assert "rain-local" in raised.value.hint


def test_an_environment_without_deployment_says_how_to_deploy(account: Any) -> None:
    with pytest.raises(OperatorError, match="no deployed endpoint") as raised:
        find_endpoint(account.aws, "dev", None)
    assert raised.value.exit_status == 1
    assert "npx cdk deploy -c env=dev '**'" in raised.value.hint


def test_a_mistyped_environment_is_told_with_those_that_there_are(account: Any) -> None:
    with pytest.raises(UsageError, match="there is no environment 'devv'") as raised:
        find_endpoint(account.aws, "devv", None)
    assert raised.value.hint == "did you mean dev? environments/ has: dev, local, loop, prod, staging"


def test_without_a_checkout_it_says_what_was_looked_for(tmp_path: Path) -> None:
    told = nothing_deployed("devv", "/tidegate/devv/endpoints", tmp_path)
    assert told.exit_status == 1
    assert "'devv'" in told.message
    assert "/tidegate/devv/endpoints" in told.message


def test_an_error_on_the_way_to_a_mistyped_environment_names_the_typo_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: str) -> None:
        raise NoCredentialsError

    monkeypatch.setattr("tidegate.commands.context.open_environment", fail)
    assert cli.main(["status", "--env", "devv"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "error: environment 'devv' is not declared here" in said
    assert "next: did you mean dev? environments/ has: dev, local, loop, prod, staging" in said
    assert cli.main(["status", "--env", "dev"]) == 1
    assert "declared" not in capsys.readouterr().err


def test_a_policy_of_another_version_is_told(account: Any) -> None:
    account.deploy(policy={"steps": []})
    with pytest.raises(OperatorError, match="the rollout policy of rain-local cannot be read"):
        assert find_endpoint(account.aws, "local", None).step_weights


def test_settings_of_another_shape_name_what_is_missing() -> None:
    with pytest.raises(OperatorError, match="environment"):
        parse("{}")
