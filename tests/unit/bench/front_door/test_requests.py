"""Arithmetic of the front door's benchmark: phases, whose a failure is, and what is added."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.errors import BenchError
from bench.front_door import requests
from bench.front_door.requests import Phase
from tidegate.demo.observations import MODEL_ERROR, Request

BAD = Phase("1.2.0", 100.0, 110.0)


def request(due: float = 0.0, ms: float = 10.0, **more: object) -> Request:
    plain = Request(due=due, sent=due, done=due + ms / 1000, variant="blue")
    return replace(plain, **more)  # type: ignore[arg-type]


def failure(due: float, kind: str = MODEL_ERROR, model_status: int | None = 500, **more: object) -> Request:
    return request(due, failure=kind, status=502, model_status=model_status, **more)


def test_latency_counts_from_the_instant_when_a_request_was_due() -> None:
    late = request(10.0, sent=10.5, done=10.52)
    assert requests.latency([late]).p50 == pytest.approx(520)


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(ms) for ms in range(1, 201)]
    assert requests.of_values(values) == requests.Latency(100.0, 198.0)


def test_no_requests_have_no_latency() -> None:
    with pytest.raises(BenchError, match="no request"):
        requests.latency([])


def test_phases_follow_each_other_and_are_complete() -> None:
    found = requests.phases([(5.0, "b"), (0.0, "a"), (5.0, "c"), (9.0, "d")], 12.0)
    assert [(each.name, each.since, each.until) for each in found] == [("a", 0, 5), ("c", 5, 9), ("d", 9, 12)]


def test_a_request_belongs_to_the_phase_in_which_it_was_due() -> None:
    first, second = requests.phases([(0.0, "a"), (5.0, "b")], 10.0)
    edge, slow = request(5.0), request(4.99, ms=500)
    assert first.of([edge, slow]) == [slow]
    assert second.of([edge, slow]) == [edge]


@pytest.mark.parametrize(
    ("failed", "ours"),
    [
        (failure(105.0), False),
        (failure(99.999, ms=10), False),  # answered when the bad version was there
        (failure(90.0), True),  # the model's, at a time when no bad version was there
        (failure(111.0), True),
        (failure(105.0, model_status=503), True),  # a container that was shut down is no fault of its model
        (failure(105.0, kind="unavailable", model_status=None), True),
        (failure(105.0, kind="MaxRetryError", model_status=None), True),
    ],
)
def test_whose_a_failure_is(failed: Request, ours: bool) -> None:
    assert requests.unexplained([request(105.0), failed], [BAD]) == ([failed] if ours else [])


def test_without_a_bad_version_every_failure_is_ours() -> None:
    assert requests.unexplained([failure(105.0)], []) == [failure(105.0)]


@pytest.mark.parametrize(("failed", "share"), [(0, 1.0), (1, 0.75), (4, 0.0)])
def test_the_share_that_was_answered(failed: int, share: float) -> None:
    seen: Sequence[Request] = [failure(1.0)] * failed + [request()] * (4 - failed)
    assert requests.answered(seen) == share


def test_failures_that_are_alike_are_listed_together() -> None:
    alike = [failure(1.0, detail=f"the model failed (urn:tidegate:prediction:{number})") for number in range(3)]
    assert requests.listed(alike) == ["3 x ModelError (status 502): the model failed"]
