from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from tidegate.demo.function_log import explain
from tidegate.demo.observations import FAILED_ON_PURPOSE, Request

ENDPOINT: Any = SimpleNamespace(name="rain-local", environment="local")


def request(detail: str, failure: str = "ModelError") -> Request:
    return Request(1.0, 1.0, 1.0, "green", failure=failure, status=502, model_status=500, detail=detail)


class Account:
    """Has the log of the function that answers predictions."""

    def __init__(self, **causes: str) -> None:
        self.lines = [json.dumps({"prediction": name, "message": cause}) for name, cause in causes.items()]
        self.functions = SimpleNamespace(get_function_configuration=self._function)
        self.logs = SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=self._pages))

    def _function(self, FunctionName: str) -> Any:
        assert FunctionName == "tidegate-local-rain-predict"
        return {"LoggingConfig": {"LogGroup": "group"}}

    def _pages(self, logGroupName: str, filterPattern: str) -> Any:
        assert (logGroupName, filterPattern) == ("group", '"no prediction"')
        return [{"events": [{"message": line} for line in self.lines]}]


def test_a_failure_is_told_by_its_cause_in_the_log() -> None:
    account: Any = Account(p1=f"no prediction: the container answered 500: {FAILED_ON_PURPOSE}")
    requests = [
        request("the model failed (urn:tidegate:prediction:p1)"),
        request("another (urn:tidegate:prediction:p2)"),
    ]
    explain(account, ENDPOINT, requests)
    assert [each.on_purpose for each in requests] == [True, False]
    assert requests[1].detail.endswith("p2)")


def test_without_failures_nobody_reads_the_log() -> None:
    requests = [request("", failure="")]
    explain(SimpleNamespace(), ENDPOINT, requests)  # type: ignore[arg-type]
    assert not requests[0].failure
