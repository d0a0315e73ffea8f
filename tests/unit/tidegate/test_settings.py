from __future__ import annotations

from typing import Any

import pytest

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
    assert found.step_weights == [10.0, 100.0]


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
    assert raised.value.hint == "deploy it with: npx cdk deploy -c env=dev '**'"


def test_settings_of_another_shape_name_what_is_missing() -> None:
    with pytest.raises(OperatorError, match="environment"):
        parse("{}")
