"""What counts for and against the live version: whom its breaker keeps from it, and whom not."""

import sys
from typing import Any

import pytest

from lambdas.inference import headers
from lambdas.inference.adapters.refusals import of_haste, of_silence
from lambdas.inference.assignment import takes_candidate
from lambdas.inference.ports import InvocationError, Invoked
from lambdas.inference.problems import Problem
from lambdas.inference.settings import Breaker

fakes: Any = sys.modules["inference_serving_fakes"]
FAILURES, OPEN_SECONDS = 3, 10
LIVE = next(f"c{number}" for number in range(100) if not takes_candidate(fakes.ENDPOINT, f"c{number}", 50))
CANDIDATE = next(f"c{number}" for number in range(100) if takes_candidate(fakes.ENDPOINT, f"c{number}", 50))


class Hanging(fakes.FakeRuntime):  # type: ignore[misc]  # the tests are no package
    """An endpoint whose live version never answers in time."""

    def __init__(self) -> None:
        super().__init__()
        self.hosted["green"] = "v2"
        self.waited = 0

    def invoke(self, body: bytes, variant: str | None, *more: Any) -> Invoked:
        if (variant or self.weighted) == "blue":
            self.waited += 1
            raise of_silence(OPEN_SECONDS)
        answered: Invoked = super().invoke(body, variant, *more)
        return answered


@pytest.fixture
def rollout(make_door: Any) -> Any:
    """Return a front door with two versions, where callers keep to one and nothing is kept."""
    door = make_door(sticky=True, cache=None, audit=None, breaker=Breaker(FAILURES, OPEN_SECONDS))
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 50)
    door.runtime.hosted["green"] = "v2"
    return door


def of(variant: str, slug: str = "busy", *, at_fault: bool = True) -> InvocationError:
    """Return what a variant's container has said, be it that it is too busy or that the rows are no good."""
    return InvocationError(
        Problem(slug, "no", headers={headers.VARIANT: variant} if variant else {}), at_fault=at_fault
    )


def fail(door: Any, *, caller: str | None = None, times: int = FAILURES) -> None:
    """Let the live version fail on as many inputs."""
    for number in range(times):
        door.runtime.errors = [of("blue")]
        assert door.problem([[number, 0]], caller=caller).slug == "busy"


def is_left_alone(door: Any, caller: str | None = LIVE) -> bool:
    """Return whether a request fails that would have been answered."""
    asked = len(door.runtime.asked)
    found = (
        door.problem(caller=caller) if door.predictor._breakers.retry_after("shop") > 0 else door.predict(caller=caller)
    )
    assert (len(door.runtime.asked) == asked) == isinstance(found, Problem)
    return isinstance(found, Problem)


@pytest.mark.parametrize("caller", [CANDIDATE, None])
def test_a_candidates_answers_do_not_count_as_the_live_versions(rollout: Any, caller: str | None) -> None:
    rollout.runtime.weighted = "green"
    for _ in range(FAILURES - 1):
        fail(rollout, caller=LIVE, times=1)
        assert rollout.said(caller=caller) == ("v2", "model")
    fail(rollout, caller=LIVE, times=1)
    assert is_left_alone(rollout)


@pytest.mark.parametrize(("caller", "variant"), [(CANDIDATE, ""), (CANDIDATE, "green"), (None, "green"), (None, "")])
def test_neither_do_its_refusals_of_rows(rollout: Any, caller: str | None, variant: str) -> None:
    for _ in range(FAILURES - 1):
        fail(rollout, caller=LIVE, times=1)
        rollout.runtime.errors = [of(variant, "invalid-input", at_fault=False)]
        assert rollout.problem(caller=caller).slug == "invalid-input"
    fail(rollout, caller=LIVE, times=1)
    assert is_left_alone(rollout)


@pytest.mark.parametrize("caller", [LIVE, None])
def test_the_live_versions_own_do(rollout: Any, caller: str | None) -> None:
    for answer in ([], [of("blue", "invalid-input", at_fault=False)]):
        fail(rollout, caller=LIVE, times=FAILURES - 1)
        rollout.runtime.errors = answer
        if answer:
            rollout.problem(caller=caller)
        else:
            rollout.predict(caller=caller)
    assert not is_left_alone(rollout)


@pytest.mark.parametrize("percent", [10, 25, 50, 90])
def test_a_live_version_that_hangs_is_waited_for_no_more_often_than_without_a_candidate(
    rollout: Any, percent: int
) -> None:
    rollout.runtime = runtime = Hanging()
    rollout.predictor._ports = rollout.ports = fakes.replace(rollout.ports, runtime=runtime)
    rollout.route = fakes.route(("blue", "v1"), ("green", "v2"), percent)
    seconds = 40
    for number in range(10 * seconds):
        caller = f"c{number}"
        if takes_candidate(fakes.ENDPOINT, caller, percent):
            assert rollout.said([[number % 100, 1]], caller=caller) == ("v2", "model")
        else:
            assert rollout.problem([[number % 100, 1]], caller=caller).slug in ("timeout", "unavailable")
        rollout.clock.time += 0.1
    assert FAILURES < runtime.waited <= FAILURES + seconds / OPEN_SECONDS


def test_whoever_goes_to_the_candidate_is_not_kept_away_and_takes_nobodys_try(rollout: Any) -> None:
    fail(rollout, caller=LIVE)
    assert is_left_alone(rollout)
    assert rollout.said(caller=CANDIDATE) == ("v2", "model")
    rollout.clock.time += OPEN_SECONDS
    assert rollout.said(caller=CANDIDATE) == ("v2", "model")
    rollout.runtime.errors = [of("blue")]
    assert rollout.problem(caller=LIVE).slug == "busy"
    assert is_left_alone(rollout)
    rollout.clock.time += OPEN_SECONDS
    assert rollout.said(caller=LIVE) == ("v1", "model")
    assert not is_left_alone(rollout)


def test_a_breaker_that_only_a_candidate_could_close_keeps_nobody_away(rollout: Any) -> None:
    fail(rollout, caller=LIVE)
    rollout.route = fakes.route(("blue", "v1"), ("green", "v2"), 100)
    rollout.runtime.weighted = "green"
    rollout.clock.time += OPEN_SECONDS
    for _ in range(5):
        assert rollout.said() == ("v2", "model")
    rollout.runtime.errors = [of("blue")]
    assert rollout.problem().slug == "busy"
    assert is_left_alone(rollout, None)


@pytest.mark.parametrize("error", [of("green"), of_silence(OPEN_SECONDS)], ids=["its own", "nobody's"])
def test_neither_do_the_failures_of_a_candidate_that_has_all_the_traffic(rollout: Any, error: InvocationError) -> None:
    fail(rollout, caller=LIVE)
    rollout.route = fakes.route(("blue", "v1"), ("green", "v2"), 100)
    rollout.runtime.weighted = "green"
    rollout.clock.time += OPEN_SECONDS
    for _ in range(3):
        rollout.runtime.errors = [error]
        rollout.problem()
        assert rollout.said() == ("v2", "model")


def test_a_failure_that_may_be_either_versions_waits_for_the_next_try(rollout: Any) -> None:
    fail(rollout, caller=LIVE)
    rollout.clock.time += OPEN_SECONDS
    rollout.runtime.errors = [of_silence(OPEN_SECONDS)]
    assert rollout.problem().slug == "timeout"
    assert is_left_alone(rollout, None)


def test_a_variant_that_is_not_there_counts_for_nobody(rollout: Any) -> None:
    rollout.route = fakes.route(("blue", "v1"))
    del rollout.runtime.hosted["green"]
    for _ in range(FAILURES - 1):
        fail(rollout, times=1)
        assert rollout.problem(target="green").slug == "not-found"
    fail(rollout, times=1)
    assert is_left_alone(rollout)
    rollout.clock.time += OPEN_SECONDS
    assert rollout.problem(target="green").slug == "not-found"
    rollout.runtime.errors = [of("blue")]
    assert rollout.problem().slug == "busy", "the try was still to be had"
    assert is_left_alone(rollout)


def test_a_model_that_was_not_asked_for_want_of_time_has_not_failed(make_door: Any) -> None:
    door = make_door(cache=None, audit=None, breaker=Breaker(FAILURES, OPEN_SECONDS))
    door.runtime.errors = [of_haste(0.1)] * 10
    for number in range(10):
        assert door.problem([[number, 0]]).slug == "unavailable"
    assert not is_left_alone(door)
    fail(door)
    door.clock.time += OPEN_SECONDS
    door.runtime.errors = [of_haste(0.1)]
    door.problem()
    assert not is_left_alone(door), "the try was still to be had"


def test_a_model_that_hangs_is_left_alone_whatever_is_sent_to_it(make_door: Any) -> None:
    door = make_door(cache=None, audit=None, breaker=Breaker(FAILURES, OPEN_SECONDS))
    door.runtime.errors = [of_silence(OPEN_SECONDS)] * FAILURES
    for number in range(FAILURES):
        assert door.problem([[1, 2]], client=f"client-{number}").slug == "timeout"
    assert is_left_alone(door)
