"""Predictions that nobody waits for: in whose name they are asked for."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lambdas.inference.answer_size import LARGEST_BYTES
from lambdas.inference.jobs.asking import EndpointModel
from lambdas.inference.jobs.job import Job
from lambdas.inference.ports import Invoked
from lambdas.inference.unattended import Asking, Unattended

JOB = Job("rain-local", "1", "shop", "hash", "input", created_at=0, expires=1)


@pytest.fixture
def shared(make_door: Any, fakes: Any) -> Any:
    """Return the front door of an endpoint whose candidate has nearly all the traffic, and callers who stay."""
    door = make_door(sticky=True)
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 99.9)
    door.runtime.hosted["green"] = "v2"
    return door


@pytest.fixture
def fakes() -> Any:
    import sys

    return sys.modules["inference_serving_fakes"]


@pytest.mark.parametrize(("caller", "asked"), [("", None), ("ann", "green")])
def test_a_job_keeps_to_one_version_only_for_a_caller_who_is_named(shared: Any, caller: str, asked: str | None) -> None:
    model = EndpointModel(Unattended(shared.settings, shared.ports, lambda: 60.0))
    model.ask(replace(JOB, caller=caller), b'{"instances": [[1, 2]]}')
    assert shared.runtime.asked == [asked]


def test_without_a_caller_the_client_is_written_down(shared: Any) -> None:
    Unattended(shared.settings, shared.ports, lambda: 60.0).ask(Asking("1", "shop"), [[1, 2]])
    assert shared.log.records[0]["caller"] == "shop"


def test_what_lambda_need_not_hand_on_may_be_of_any_size(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    large = json.dumps({"predictions": ["x" * 2 * LARGEST_BYTES]})
    monkeypatch.setattr(shared.runtime, "invoke", lambda *_: Invoked(large, "blue"))
    assert Unattended(shared.settings, shared.ports, lambda: 60.0).ask(Asking("1", "shop"), [[1, 2]]).body == large
