"""An endpoint that fails is left alone, and what it said before, or the default, stands in for it."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.scenarios.front_door_working.doors import (
    DEFAULT,
    FAILURES,
    FRESH_SECONDS,
    OPEN_SECONDS,
    STALE_SECONDS,
)
from tests.scenarios.front_door_working.working import Door, Reply, days

EVER = 1_000_000
REQUESTS = 30
MARGIN_SECONDS = 1.0


class Broken:
    """An endpoint all of whose requests fail, and who counts them.

    Parameters
    ----------
    door
        The endpoint.
    """

    def __init__(self, door: Door) -> None:
        self.door = door
        (self._variant,) = door.loop.weights()

    def fail(self) -> None:
        """Fail from now on."""
        self.door.loop.cloud.faults.fail_answers(self._variant, EVER, endpoint=self.door.name)

    def recover(self) -> None:
        """Fail no more."""
        self.door.loop.cloud.faults.clear()

    @property
    def asked(self) -> int:
        """How often it was asked since it began to fail."""
        (fault,) = self.door.loop.cloud.faults.endpoints._answers
        return EVER - int(fault.times)


@pytest.fixture
def broken(kept: Door) -> Iterator[Broken]:
    """The endpoint whose answers are kept, which works again in the end."""
    yield Broken(kept)
    restore(kept)


def restore(door: Door) -> None:
    """Let the endpoint answer again, and wait until its breaker has seen that."""
    door.loop.cloud.faults.clear()
    (row,) = days(1, first=900)
    door.loop.wait_for(lambda: door.predict([row]).source in ("model", "cache"), "the breaker to close")


def aged(door: Door, seconds: float) -> None:
    """Let time go by for the answers that are kept."""
    for item in door.items("CACHE"):
        door.change(item, "at", float(item["at"]["N"]) - seconds)


def check_problem(reply: Reply) -> None:
    assert reply.headers["Content-Type"] == "application/problem+json", reply
    assert reply.status in (502, 503, 504)
    assert reply.body["status"] == reply.status
    assert reply.body["type"].startswith("urn:tidegate:problem:")
    if reply.status == 503:
        assert int(reply.headers["Retry-After"]) >= 1


def test_stale_answers_and_defaults_stand_in_while_the_endpoint_fails(broken: Broken) -> None:
    door = broken.door
    known, unknown, old = days(3, first=910)
    before = {source: door.predict([row]) for source, row in (("known", known), ("old", old))}
    aged(door, STALE_SECONDS)
    before["known"] = door.predict([known])
    assert before["known"].source == "model"
    aged(door, FRESH_SECONDS)
    broken.fail()
    replies = [door.predict([known]) for _ in range(REQUESTS)]
    assert {(reply.status, reply.source) for reply in replies} == {(200, "stale")}
    assert {reply.version for reply in replies} == {before["known"].version}
    assert all(reply.predictions == before["known"].predictions for reply in replies)
    for row in (unknown, old):
        reply = door.predict([row, row])
        assert (reply.status, reply.source, reply.version) == (200, "default", None)
        assert reply.predictions == [json.loads(DEFAULT)] * 2


def test_endpoint_that_fails_is_left_alone_but_for_one_try_at_a_time(broken: Broken) -> None:
    door = broken.door
    rows = days(REQUESTS, first=920)
    broken.fail()
    for row in rows[:FAILURES]:
        door.predict([row])
    assert broken.asked == FAILURES
    # Counted over as many whole periods as go by: one try each, however many requests there are.
    began, asked = time.monotonic(), broken.asked
    sent = 0
    while time.monotonic() < began + OPEN_SECONDS + MARGIN_SECONDS:
        reply = door.predict([rows[sent % len(rows)]])
        assert reply.source == "default"
        sent += 1
    periods = (time.monotonic() - began) / OPEN_SECONDS
    assert 1 <= broken.asked - asked <= periods + 1
    assert sent > broken.asked - asked

    broken.recover()
    door.loop.wait_for(lambda: door.predict([rows[0]]).source == "model", "the breaker to close", seconds=60)
    assert {door.predict([row]).source for row in rows[1:]} == {"model"}


def test_without_anything_that_stands_in_callers_get_a_problem(sticky: Door) -> None:
    broken = Broken(sticky)
    broken.fail()
    try:
        replies = [sticky.predict([row]) for row in days(REQUESTS, first=960)]
        assert broken.asked < REQUESTS
    finally:
        broken.recover()
    for reply in replies:
        check_problem(reply)
    assert [reply.status for reply in replies[:FAILURES]] == [502] * FAILURES
    assert {reply.status for reply in replies[FAILURES:]} <= {502, 503}
    assert 503 in {reply.status for reply in replies}
    restore(sticky)


def test_dead_model_server_is_a_problem_until_it_is_back(sticky: Door) -> None:
    (row,) = days(1)
    expected = sticky.predict([row]).predictions
    assert sticky.kill_containers()
    replies: list[Reply] = []
    while not replies or replies[-1].status != 200:
        replies.append(sticky.predict([row]))
        assert len(replies) < 10_000
    assert len(replies) > 1, "nobody noticed that the server was killed"
    for reply in replies[:-1]:
        check_problem(reply)
    assert replies[-1].predictions == expected
    restore(sticky)


@pytest.mark.usefixtures("patient")
def test_endpoint_that_hangs_is_given_its_time_and_then_left_alone(sticky: Door) -> None:
    (row,) = days(1)
    with sticky.frozen():
        slow = [sticky.predict([row]) for _ in range(FAILURES)]
        at_once = [sticky.predict([row]) for _ in range(REQUESTS)]
    restore(sticky)
    assert {reply.status for reply in slow} == {504}
    for reply in (*slow, *at_once):
        check_problem(reply)
    # A request that waited for the endpoint would be a timeout: only tries of the open breaker do.
    assert sum(reply.status == 504 for reply in at_once) <= 1 + REQUESTS // 10
