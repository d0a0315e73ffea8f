from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tidegate.errors import OperatorError
from tidegate.front_door import api_key, front_door

DESCRIBED = {"url": "https://a1.execute-api.eu-west-1.amazonaws.com/live/", "api": "a1", "stage": "live", "auth": "jwt"}
ENDPOINT: Any = SimpleNamespace(name="rain-dev", environment="dev")


class Ssm:
    def __init__(self, address: str, described: Any) -> None:
        self.meta = SimpleNamespace(endpoint_url=address)
        self.described = described

    def get_parameter(self, Name: str) -> Any:
        assert Name == "/tidegate/dev/front-door/rain-dev"
        if self.described is None:
            raise ClientError({"Error": {"Code": "ParameterNotFound"}}, "GetParameter")
        return {"Parameter": {"Value": json.dumps(self.described)}}


KEYS = [{"name": "rain-dev-shopkeeper", "value": "no"}, {"name": "rain-dev-shop", "value": "yes"}]


class Gateway:
    """A page for each key; the first of them only begins as the second one does."""

    def __init__(self, keys: Any = KEYS) -> None:
        self.keys = keys

    def get_paginator(self, operation: str) -> Gateway:
        assert operation == "get_api_keys"
        return self

    def paginate(self, **asked: Any) -> Any:
        assert asked == {"nameQuery": "rain-dev-shop", "includeValues": True}
        return [{"items": [key]} for key in self.keys] or [{"items": []}]


def aws(address: str = "https://ssm.eu-west-1.amazonaws.com", described: Any = DESCRIBED) -> Any:
    return SimpleNamespace(ssm=Ssm(address, described), apigateway=Gateway())


def test_the_address_is_the_one_that_was_deployed() -> None:
    found = front_door(aws(), ENDPOINT)
    assert found is not None
    assert (found.url, found.auth) == (DESCRIBED["url"], "jwt")


def test_a_local_cloud_has_it_on_its_own_address() -> None:
    found = front_door(aws("http://127.0.0.1:4566"), ENDPOINT)
    assert found is not None
    assert found.url == "http://127.0.0.1:4566/_aws/execute-api/a1/live/"


def test_an_endpoint_without_one_is_told_from_a_failure() -> None:
    assert front_door(aws(described=None), ENDPOINT) is None


def test_a_key_is_that_of_the_client_and_of_no_other() -> None:
    assert api_key(aws(), ENDPOINT, "shop") == "yes"


def test_a_client_without_a_key_is_an_error_with_a_way_out() -> None:
    connection = aws()
    connection.apigateway.keys = []
    with pytest.raises(OperatorError) as caught:
        api_key(connection, ENDPOINT, "shop")
    assert "front_door.clients" in caught.value.hint
