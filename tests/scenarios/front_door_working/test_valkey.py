"""Answers that are kept in Valkey are given again, and nobody waits for a cache that is down."""

import json

import pytest

from lambdas import contract
from tests.logged import messages
from tests.scenarios.front_door_working.working import Door, Reply, days

REQUESTS = 30
WORKERS = 3
"""As many instances of the function may have been started by the tests before."""


def cache_of(door: Door) -> str:
    """Return the name of its cache, as its function knows it."""
    found = door.loop.cloud.client("lambda").get_function_configuration(
        FunctionName=door.function("predict"), Qualifier=contract.LIVE_ALIAS
    )
    name: str = json.loads(found["Environment"]["Variables"][contract.ENV_FRONT_DOOR])["cache"]["valkey"]["name"]
    return name


def kept(door: Door, row: list[float]) -> Reply:
    """Ask for a row until its answer comes from the cache, which a busy machine may leave alone for a while."""

    def asked() -> Reply | None:
        reply = door.predict([row])
        return reply if reply.source == "cache" else None

    return door.loop.wait_for(asked, "an answer from the cache")


def warnings(door: Door) -> int:
    """Return how often its function has said that it leaves the cache alone."""
    group = door.loop.cloud.client("lambda").get_function_configuration(FunctionName=door.function("predict"))
    lines = messages(door.loop.cloud.client("logs"), group["LoggingConfig"]["LogGroup"])
    return sum("left alone" in line for line in lines)


def test_the_same_rows_are_answered_from_the_cache_and_not_from_the_table(memory: Door) -> None:
    row, other = days(2, first=300)
    known = kept(memory, row)
    assert known.predictions == memory.directly(row)
    assert memory.predict([other]).source == "model", "other rows are another question"
    assert kept(memory, other).predictions == memory.directly(other)
    assert memory.items("CACHE") == []


@pytest.mark.parametrize("fault", ["kill", "hang"])
def test_predictions_go_on_while_the_cache_is_down(memory: Door, fault: str) -> None:
    (row,) = days(1, first=310)
    known, warned = kept(memory, row), warnings(memory)
    undo = getattr(memory.loop.cloud.faults.caches, fault)(cache_of(memory))
    replies = [memory.predict([row]) for _ in range(REQUESTS)]
    assert {(reply.status, reply.source, reply.version) for reply in replies} == {(200, "model", known.version)}
    assert all(reply.predictions == known.predictions for reply in replies)
    memory.loop.wait_for(lambda: warnings(memory) > warned, "the log to say so")
    assert warnings(memory) - warned <= WORKERS, "each instance says it once"
    undo()
    assert kept(memory, row).predictions == known.predictions
