"""Answers that are kept are never given in another version's name, through a promotion and a rollback."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import pytest

from tests.scenarios.front_door_working.doors import KEPT, MEMORY
from tests.scenarios.front_door_working.working import Door, Reply, days

ROWS = 24
SENDERS = 3
RATE = 20.0


@dataclass
class Watched:
    """The replies to each row, in order; a row is sent by one sender only."""

    replies: dict[int, list[Reply]] = field(default_factory=lambda: defaultdict(list))

    def of(self, version: str | None) -> dict[int, list[Reply]]:
        """Return the replies that name a version."""
        return {row: [each for each in found if each.version == version] for row, found in self.replies.items()}

    @property
    def all(self) -> list[Reply]:
        """All replies."""
        return [reply for found in self.replies.values() for reply in found]


@contextmanager
def asking(door: Door, rows: list[list[float]]) -> Iterator[Watched]:
    """Send the rows again and again, each by one sender of its own."""
    watched, stop = Watched(), Event()

    def send(numbers: range) -> None:
        for number in itertools.cycle(numbers):
            if stop.wait(SENDERS / RATE):
                return
            watched.replies[number].append(door.predict([rows[number]]))

    threads = [Thread(target=send, args=(range(first, len(rows), SENDERS),), daemon=True) for first in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        yield watched
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def truth(door: Door, rows: list[list[float]]) -> list[list[Any]]:
    """Return what the version that is live alone answers to each row."""
    assert len(door.loop.weights()) == 1
    return [door.directly(row) for row in rows]


def seen_all(watched: Watched, version: str, source: str) -> bool:
    """Return whether each row has had an answer of a version, and from there."""
    found = watched.of(version)
    return len(found) == ROWS and all(any(each.source == source for each in replies) for replies in found.values())


@pytest.fixture(params=[KEPT, MEMORY])
def door(request: pytest.FixtureRequest, kept: Door, memory: Door) -> Door:
    """An endpoint whose answers are kept, in the table or in Valkey."""
    return {KEPT: kept, MEMORY: memory}[request.param]


def test_answers_are_the_named_versions_through_promotion_and_rollback(door: Door) -> None:
    rows = days(ROWS, first=200)
    old = door.predict([days(1)[0]]).version
    assert old is not None
    known = {old: truth(door, rows)}
    begun = len(door.loop.rollouts())
    with asking(door, rows) as watched:
        door.loop.wait_for(lambda: seen_all(watched, old, "cache"), "every row to be kept")
        door.loop.approve("1.1.0")
        assert door.loop.wait_for_end(begun + 1).outcome == "PROMOTED", door.loop.story()
        known["1.1.0"] = truth(door, rows)
        door.loop.wait_for(lambda: seen_all(watched, "1.1.0", "cache"), "every row to be kept of the new version")
        door.operate("rollback", "--to", "bootstrap", "--reason", "it was meant for Monday")
        assert door.loop.wait_for_end(begun + 2).outcome == "PROMOTED", door.loop.story()
        again = door.loop.wait_for(lambda: _since(watched, old, "1.1.0"), "answers of the old version")
    assert known[old] != known["1.1.0"], "the versions cannot be told apart"
    for number, replies in watched.replies.items():
        for reply in replies:
            assert reply.version in known, reply
            assert reply.predictions == known[reply.version][number], (number, reply)
    for version in known:
        first = {number: replies[0].source for number, replies in watched.of(version).items()}
        assert set(first.values()) == {"model"}, f"{version} did not begin clean: {first}"
    assert {reply.source for reply in watched.all} == {"model", "cache"}
    assert again


def _since(watched: Watched, old: str, new: str) -> bool:
    """Return whether each row's latest answer is the old version's again."""
    latest = [replies[-1].version for replies in watched.replies.values()]
    return latest == [old] * ROWS and all(watched.of(new).values())
