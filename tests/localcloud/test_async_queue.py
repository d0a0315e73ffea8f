"""The queue of an asynchronous endpoint in virtual time: expiry, retries, concurrency and what is published of it."""

import pytest

from localcloud.physics.ports import ContainerTimeoutError, ContainerUnreachableError
from tests.localcloud.async_world import AsyncWorld


@pytest.fixture
def world():
    return AsyncWorld()


def test_a_request_that_waits_too_long_expires(world):
    world.scale(0)
    kept, lost = world.ask(), world.ask(RequestTTLSeconds=60)
    world.clock.advance(59.5)
    assert world.told(lost) == []
    world.clock.advance(1)
    (told,) = world.told(lost)
    assert (told["topic"], told["invocationStatus"]) == ("error", "Failed")
    assert "longer than RequestTTLSeconds" in told["failureReason"]
    assert world.account.objects[lost["FailureLocation"]] == told["failureReason"].encode()
    world.clock.advance(60)
    assert world.metric("ExpiredRequests", by_variant=True, seconds=180) == 1
    world.scale(1)
    assert world.answer(kept) == b"hello"
    assert world.told(lost) == [told]


def test_a_request_that_says_nothing_waits_six_hours(world):
    world.scale(0)
    asked = world.ask()
    world.clock.advance(21_600 - 10)
    assert world.told(asked) == []
    world.clock.advance(11)
    assert world.told(asked)[0]["invocationStatus"] == "Failed"


def test_the_container_gets_the_time_that_the_request_gives_it(world):
    given = []

    class Slow:
        def __call__(self, *_):
            raise ContainerTimeoutError

    (container,) = world.containers.running()
    invoke = container.invoke
    container.invoke = lambda body, headers, timeout: given.append(timeout) or invoke(body, headers, timeout)
    container.behaviour = Slow()
    usual, hurried = world.ask(), world.ask(InvocationTimeoutSeconds=7)
    world.clock.advance(1)
    assert given == [900.0, 7.0]
    assert "timed out" in world.told(usual)[0]["failureReason"]
    assert "timed out" in world.told(hurried)[0]["failureReason"]


def test_a_broken_connection_is_tried_again_after_a_moment_and_in_front(world):
    (container,) = world.containers.running()
    bodies = []

    def breaks_once(body, _headers):
        bodies.append(body)
        if len(bodies) == 1:
            container.healthy = False  # until it is up again
            raise ContainerUnreachableError("gone")
        return 200, {"content-type": "text/plain"}, body

    container.behaviour = breaks_once
    world.ask("first")
    world.ask("second")
    world.clock.advance(5)
    assert bodies == [b"first"]
    container.healthy = True
    world.clock.advance(1)
    assert bodies == [b"first", b"first", b"second"]


def test_three_broken_connections_are_a_failure(world):
    (container,) = world.containers.running()
    tried = []

    def breaks(body, _headers):
        tried.append(body)
        raise ContainerUnreachableError("gone")

    container.behaviour = breaks
    asked = world.ask()
    world.clock.advance(10)
    assert len(tried) == 3
    assert "(attempt 3)" in world.told(asked)[0]["failureReason"]
    world.clock.advance(60)
    assert world.metric("InvocationFailures", by_variant=True) == 1
    assert world.metric("ApproximateBacklogSize") == 0


def test_a_fault_that_is_asked_for_fails_a_request(world):
    world.sagemaker.faults.fail_answers("blue", reason="as ordered")
    asked = world.ask()
    world.clock.advance(1)
    assert world.account.objects[asked["FailureLocation"]] == b"as ordered"


def test_the_state_of_the_queue_is_published_every_minute(world):
    world.clock.advance(50)  # a whole minute
    assert world.metric("ApproximateBacklogSize") == 0
    assert world.metric("HasBacklogWithoutCapacity") == 0
    world.scale(0)
    for _ in range(3):
        world.ask()
    world.clock.advance(57)
    names = ("ApproximateBacklogSize", "ApproximateBacklogSizePerInstance", "HasBacklogWithoutCapacity")
    assert [world.metric(name) for name in names] == [3, 3, 1]
    assert world.metric("ApproximateAgeOfOldestRequest") == 57
    world.clock.advance(60)
    assert world.metric("ApproximateAgeOfOldestRequest") == 117


def test_the_backlog_is_shared_by_the_instances(world):
    world.scale(2)
    for container in world.containers.running():
        container.healthy = False
    for _ in range(5):
        world.ask()
    world.clock.advance(60)
    assert world.metric("ApproximateBacklogSizePerInstance") == 2.5
    assert world.metric("HasBacklogWithoutCapacity") == 0


def test_real_time_metrics_are_not_published(world):
    world.ask()
    world.clock.advance(60)
    assert world.metric("InvocationsProcessed", by_variant=True) == 1
    assert world.metric("ModelLatency", by_variant=True) is not None
    assert world.metric("Invocation5XXErrors", by_variant=True) == 0
    for name in ("Invocations", "OverheadLatency", "InvocationModelErrors"):
        assert world.metric(name, by_variant=True) is None


def test_nothing_is_handed_out_once_it_is_closed(world):
    world.scale(0)
    asked = world.ask()
    world.runtime.close()
    world.scale(1)
    world.clock.advance(60)
    assert world.answer(asked) is None
