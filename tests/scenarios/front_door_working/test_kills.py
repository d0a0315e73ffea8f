"""Workers and model servers are killed: no job is lost, and each ends once.

After a kill AWS lets a job wait: its message until it is visible again, six times the worker's time-out, and the job
until its lease is over, which outlasts any worker. The tests shorten the first by the queue's own setting, and put the
second into the past for jobs whose worker is dead for certain, as if that time had gone by.
"""

import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lambdas import contract
from lambdas.inference.jobs.job import Status
from tests.queues import let_send, make_queue
from tests.scenarios.front_door_working.doors import ATTEMPTS, EAGER
from tests.scenarios.front_door_working.working import Door, days

VISIBILITY_SECONDS = 3
KILLS = 3
JOBS = 12
LONGEST_WORK_SECONDS = 0.8
"""From the start of a worker to the end of a job."""


class Queue:
    """The jobs of an endpoint, as those know them who asked for them, who listen and who kill.

    Parameters
    ----------
    door
        The endpoint.
    events
        URL of the queue with the events of its jobs.
    """

    def __init__(self, door: Door, events: str) -> None:
        self.door = door
        self._events = events
        self._heard: dict[str, set[str]] = defaultdict(set)
        self._killed_at = 0.0

    @property
    def worker(self) -> str:
        """Name of the function that works on them."""
        return self.door.function("work")

    def ask(self, count: int, first: int) -> dict[str, list[float]]:
        """Ask for jobs of a row each; return the rows by the jobs' ids."""
        rows = days(count, first)
        asked = [self.door.send("POST", "jobs", {"instances": [row]}) for row in rows]
        assert {reply.status for reply in asked} == {202}, asked
        return {reply.body["id"]: row for reply, row in zip(asked, rows, strict=True)}

    def show(self, job: str) -> dict[str, Any]:
        """Return what the client is told of a job."""
        reply = self.door.send("GET", f"jobs/{job}")
        assert reply.status == 200, reply.body
        found: dict[str, Any] = reply.body
        return found

    def at_work(self) -> bool:
        """Return whether a worker that has not been killed has begun an attempt, and not ended it."""
        return any(float(item["began_at"]["N"]) > self._killed_at for item in self._running())

    def kill(self) -> None:
        """Kill all workers, whatever they are doing."""
        self._killed_at = time.time()
        self.door.loop.cloud.functions.kill(self.worker)

    def kill_in_the_middle(self) -> None:
        """Kill the workers in the middle of a job; the endpoint must not answer just now."""
        self.door.loop.wait_for(self.at_work, "a job that is being worked on", poll=0.05)
        self.kill()
        self.let_leases_end()

    def kill_now_and_then(self, times: int) -> None:
        """Kill busy workers at any point of what they do."""
        for _ in range(times):
            self.door.loop.wait_for(lambda: self.door.loop.cloud.functions.busy(self.worker), "work", poll=0.005)
            time.sleep(random.uniform(0, LONGEST_WORK_SECONDS))
            self.kill()
            self.let_leases_end()

    def let_leases_end(self) -> None:
        """Let the time go by for which jobs wait whose worker is dead."""
        for item in self._running():
            killed = float(item["began_at"]["N"]) < self._killed_at
            if killed and float(item["lease_until"]["N"]) > time.time():
                self.door.change(item, "lease_until", time.time())

    def _running(self) -> list[dict[str, Any]]:
        return [item for item in self.door.items("JOB") if item["status"]["S"] == Status.RUNNING]

    def await_end(self, jobs: Any) -> None:
        """Wait until all of some jobs have ended, and everybody has been told."""
        waited = set(jobs)

        def over() -> bool:
            self.let_leases_end()
            ended = {item["id"]["S"] for item in self.door.items("JOB") if _is_over(item)}
            return waited <= ended

        self.door.loop.wait_for(over, "the jobs to end")

    def dead(self) -> dict[str, str]:
        """Return the reasons of the jobs among the dead letters, as an operator sees them."""
        return {letter["job"]: letter["reason"] for letter in self.door.operate("jobs", "dead")}

    def told(self, jobs: Any) -> dict[str, set[str]]:
        """Return how each job ended, as events tell it: one end each, however often it is told."""
        waited = set(jobs)
        self.door.loop.wait_for(lambda: waited <= self._hear().keys(), "the jobs' events")
        return {job: self._heard[job] for job in waited}

    def _hear(self) -> dict[str, set[str]]:
        sqs = self.door.loop.cloud.client("sqs")
        while messages := sqs.receive_message(QueueUrl=self._events, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                detail = json.loads(message["Body"])["detail"]
                self._heard[detail["id"]].add(f"{detail['status']} at {detail['ended_at']}")
                sqs.delete_message(QueueUrl=self._events, ReceiptHandle=message["ReceiptHandle"])
        return self._heard

    def forget(self) -> None:
        """Forget what was told so far."""
        self._hear()
        self._heard.clear()


def _is_over(item: Mapping[str, Any]) -> bool:
    return item["status"]["S"] in (Status.DONE, Status.FAILED) and not item["owed"]["S"]


@pytest.fixture(scope="module")
def queue(queued: Door) -> Queue:
    """The endpoint's jobs, whose messages come again soon."""
    sqs = queued.loop.cloud.client("sqs")
    sqs.set_queue_attributes(
        QueueUrl=queued.described["queue"], Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)}
    )
    events, arn = make_queue(sqs, "events-of-jobs")
    let_send(sqs, (events, arn), "events.amazonaws.com")
    bus = queued.loop.cloud.client("events")
    pattern = {"source": [contract.INFERENCE_EVENT_SOURCE], "detail-type": [contract.JOB_DETAIL_TYPE]}
    bus.put_rule(Name="jobs", EventPattern=json.dumps(pattern))
    bus.put_targets(Rule="jobs", Targets=[{"Id": "queue", "Arn": arn}])
    return Queue(queued, events)


@pytest.fixture(autouse=True)
def afresh(queue: Queue) -> Iterator[None]:
    """Let each test begin with nothing heard, and end with a healthy endpoint."""
    queue.forget()
    yield
    queue.door.loop.wait_for(queue.door.in_service, "the endpoint to be in service")


@pytest.mark.usefixtures("patient")
def test_killed_workers_lose_no_job_and_dead_letters_come_back(queue: Queue) -> None:
    with queue.door.frozen():
        jobs = queue.ask(JOBS, first=0)
        for _ in range(KILLS):
            queue.kill_in_the_middle()
    queue.kill_now_and_then(KILLS)
    queue.await_end(jobs)
    dead = queue.dead()
    answered = {job for job in jobs if queue.show(job)["status"] == "done"}
    assert answered | dead.keys() == jobs.keys()
    assert not answered & dead.keys()
    assert all(f"attempt {ATTEMPTS}" in reason for reason in dead.values()), dead
    ends = queue.told(jobs)
    assert all(len(end) == 1 for end in ends.values()), ends

    queue.forget()
    queue.door.operate("jobs", "redrive", "--all")
    queue.await_end(jobs)
    assert {job: queue.show(job)["status"] for job in jobs} == dict.fromkeys(jobs, "done")
    assert {job: queue.show(job)["predictions"] for job in jobs} == {
        job: queue.door.directly(row) for job, row in jobs.items()
    }
    assert queue.told(dead).keys() == dead.keys()
    assert queue.dead() == {}


@pytest.mark.usefixtures("patient")
def test_jobs_whose_workers_are_always_killed_end_with_the_reason(queue: Queue) -> None:
    with queue.door.frozen():
        jobs = queue.ask(1, first=50)
        for _ in range(ATTEMPTS):
            queue.kill_in_the_middle()
        queue.await_end(jobs)
    (job,) = jobs
    reason = queue.dead()[job]
    assert "its worker was killed" in reason
    shown = queue.show(job)
    assert (shown["status"], shown["problem"]["status"]) == ("failed", 503)
    queue.door.operate("jobs", "redrive", job)
    queue.await_end(jobs)
    assert queue.show(job)["predictions"] == queue.door.directly(jobs[job])


def test_jobs_outlive_their_models_container(queue: Queue) -> None:
    jobs = queue.ask(JOBS, first=100)
    queue.door.loop.wait_for(
        lambda: queue.door.loop.cloud.functions.busy(queue.worker), "the work to begin", poll=0.005
    )
    assert queue.door.kill_containers()
    queue.await_end(jobs)
    dead = queue.dead()
    shown = {job: queue.show(job) for job in jobs}
    assert {job for job, each in shown.items() if each["status"] == "done"} | dead.keys() == jobs.keys()
    assert all(dead.values())
    if dead:
        queue.door.operate("jobs", "redrive", "--all")
        queue.await_end(jobs)
    assert {queue.show(job)["status"] for job in jobs} == {"done"}
    ends = queue.told(jobs)
    assert all(sum(end.startswith("done") for end in each) == 1 for each in ends.values()), ends


def test_killed_predict_workers_are_owned_up_to_and_followed(queue: Queue) -> None:
    door = queue.door
    (row,) = days(1)
    expected = door.predict([row]).predictions
    function = door.function("predict")
    replies = []
    for _ in range(3):
        with door.loop.killing(function) as killed:
            door.loop.wait_for(lambda: replies.append(door.predict([row])) or killed, "a kill", poll=0.0)  # type: ignore[func-returns-value]
        assert door.predict([row], EAGER).predictions == expected
    failed = [reply for reply in replies if reply.status != 200]
    assert failed, "a request whose worker was killed is not answered"
    for reply in failed:
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert (reply.status, reply.body["type"]) == (502, "urn:tidegate:problem:internal"), reply
        assert reply.headers["Retry-After"]
