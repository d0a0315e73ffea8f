"""When an endpoint that does not answer is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.inference.breaker import MOST_INPUTS, Breakers, CircuitBreaker
from lambdas.inference.settings import Breaker

SETTINGS = Breaker(failures=3, open_seconds=10)


class Time:
    """Time."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def breaker(time: Time) -> CircuitBreaker:
    return CircuitBreaker(SETTINGS, time)


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        assert breaker.admits()
        breaker.failed()


def test_it_opens_after_failures_in_a_row(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    assert breaker.admits()
    breaker.succeeded()
    fail(breaker, 2)
    assert not breaker.is_open
    fail(breaker, 1)
    assert breaker.is_open
    assert not breaker.admits()
    assert breaker.retry_after == 10


def test_one_request_at_a_time_tries_it_once_it_has_been_open(breaker: CircuitBreaker, time: Time) -> None:
    fail(breaker, 3)
    time.now += 10
    assert breaker.retry_after == 0
    assert [breaker.admits() for _ in range(3)] == [True, False, False]


def test_a_try_that_succeeds_closes_it(breaker: CircuitBreaker, time: Time) -> None:
    fail(breaker, 3)
    time.now += 10
    assert breaker.admits()
    breaker.succeeded()
    assert [breaker.admits() for _ in range(3)] == [True] * 3
    fail(breaker, 2)
    assert not breaker.is_open


def test_a_try_that_fails_leaves_it_open_for_as_long_again(breaker: CircuitBreaker, time: Time) -> None:
    fail(breaker, 3)
    time.now += 10
    fail(breaker, 1)
    time.now += 9.9
    assert not breaker.admits()
    time.now += 0.1
    assert breaker.admits()


def test_a_try_of_which_nobody_tells_does_not_keep_it_open_for_ever(breaker: CircuitBreaker, time: Time) -> None:
    fail(breaker, 3)
    time.now += 10
    assert breaker.admits()
    time.now += 10
    assert breaker.admits()


def test_a_try_that_says_nothing_leaves_it_to_the_next_request(breaker: CircuitBreaker, time: Time) -> None:
    fail(breaker, 3)
    breaker.learnt_nothing()
    assert not breaker.admits()
    time.now += 10
    for _ in range(3):
        assert breaker.admits()
        breaker.learnt_nothing()
    fail(breaker, 1)
    assert breaker.retry_after == 10


@given(st.lists(st.tuples(st.floats(0, 15), st.booleans()), max_size=60))
def test_an_endpoint_that_is_down_is_asked_no_more_than_once_in_that_time(story: list[tuple[float, bool]]) -> None:
    time = Time()
    breaker = CircuitBreaker(SETTINGS, time)
    fail(breaker, 3)
    tried: list[float] = []
    for passed, tells in story:
        time.now += passed
        if breaker.admits():
            tried.append(time.now)
            if tells:
                breaker.failed()
    assert all(later - earlier > 10 - 1e-6 for earlier, later in zip([100.0, *tried], tried, strict=False))


def test_failures_on_the_same_input_count_once_in_a_row(breaker: CircuitBreaker) -> None:
    for _ in range(10):
        breaker.failed("a")
    breaker.failed("b")
    assert not breaker.is_open
    breaker.succeeded()
    for each in ("a", "b"):
        breaker.failed(each)
    assert not breaker.is_open
    breaker.failed()
    assert breaker.is_open


def test_one_that_never_opens_does_not_remember_every_input(time: Time) -> None:
    breaker = CircuitBreaker(Breaker(failures=1_000_000_000), time)
    for number in range(2 * MOST_INPUTS):
        breaker.failed(str(number))
    assert len(breaker._inputs) == MOST_INPUTS


def test_an_answer_of_500_is_an_answer_of_the_endpoint(time: Time) -> None:
    breakers = Breakers(SETTINGS, time)
    for _ in range(2):
        breakers.failed()
    breakers.failed_on("lab", "a")
    breakers.failed()
    assert breakers.admits("shop")


def test_a_client_that_has_to_wait_does_not_use_up_the_one_try(time: Time) -> None:
    breakers = Breakers(SETTINGS, time)
    for _ in range(3):
        breakers.failed()
    time.now += 5
    for number in range(3):
        breakers._clients.setdefault("lab", CircuitBreaker(SETTINGS, time)).failed(str(number))
    time.now += 5
    assert breakers.retry_after("lab") == 5
    assert not breakers.admits("lab")
    assert breakers.admits("shop")
    assert not breakers.admits("shop")
