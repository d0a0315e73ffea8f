"""Jobs are answered by an endpoint that has no instance until one waits, follows what is promoted, and goes with it.

Its minutes of scaling are two seconds here; the alarm on a job without an instance looks at a whole one.
"""

import json
import signal
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas import contract
from localcloud.physics.process import ProcessContainer
from tests.scenarios.front_door_working.working import Door, days, signalled

FIRST, SECOND = "bootstrap", "1.1.0"


class Own:
    """The endpoint that answers a front door's jobs.

    Parameters
    ----------
    door
        The front door.
    """

    def __init__(self, door: Door) -> None:
        self.door, self.loop = door, door.loop
        self.name = contract.jobs_endpoint(door.name)

    def describe(self) -> dict[str, Any]:
        """Return it as SageMaker describes it; nothing where there is none."""
        sagemaker = self.loop.cloud.client("sagemaker")
        if not sagemaker.list_endpoints(NameContains=self.name)["Endpoints"]:
            return {}
        return dict(sagemaker.describe_endpoint(EndpointName=self.name))

    @property
    def instances(self) -> int:
        """How many instances it has."""
        (variant,) = self.describe()["ProductionVariants"]
        return int(variant["CurrentInstanceCount"])

    def in_service(self) -> bool:
        """Return whether it takes requests, and nobody changes it."""
        return self.describe().get("EndpointStatus") == "InService"

    def model_data(self) -> str:
        """Return which model it runs."""
        sagemaker = self.loop.cloud.client("sagemaker")
        config = sagemaker.describe_endpoint_config(EndpointConfigName=self.describe()["EndpointConfigName"])
        (variant,) = config["ProductionVariants"]
        return str(sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]["ModelDataUrl"])

    def empty(self) -> None:
        """Take its instances away, as an hour without jobs does."""
        self.loop.wait_for(self.in_service, "nobody to change it")
        wanted = [{"VariantName": contract.JOBS_VARIANT, "DesiredInstanceCount": 0}]
        self.loop.cloud.client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName=self.name, DesiredWeightsAndCapacities=wanted
        )
        self.loop.wait_for(lambda: self.instances == 0, "no instance")

    def ask(self, rows: list[list[float]]) -> str:
        """Ask for a job; return its id."""
        reply = self.door.send("POST", "jobs", {"instances": rows})
        assert reply.status == 202, reply
        return str(reply.body["id"])

    def show(self, job: str) -> dict[str, Any]:
        """Return how a job stands."""
        found: dict[str, Any] = self.door.send("GET", f"jobs/{job}").body
        return found

    def answer(self, job: str) -> dict[str, Any]:
        """Return a job that has ended."""
        return self.loop.wait_for(
            lambda: found if (found := self.show(job))["status"] in ("done", "failed") else None,
            f"the job to end: {self.item(job)}",
        )

    def item(self, job: str) -> dict[str, Any]:
        """Return a job's item."""
        (found,) = [each for each in self.door.items("JOB") if each["id"]["S"] == job]
        return found

    def attempts(self, job: str) -> int:
        """Return how often a job was handed over."""
        return int(self.item(job)["attempt"]["N"])

    def wait_until_handed_over(self, *jobs: str) -> None:
        """Wait until SageMaker has jobs."""
        self.loop.wait_for(
            lambda: all(self.item(job).get("output", {}).get("S") for job in jobs), "jobs to be handed over"
        )

    def begun(self) -> int:
        """Return how often SageMaker has fetched rows, to give them to an instance."""
        now = datetime.now(UTC)
        found = self.loop.cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="RequestDownloadLatency",
            Dimensions=[
                {"Name": "EndpointName", "Value": self.name},
                {"Name": "VariantName", "Value": contract.JOBS_VARIANT},
            ],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["SampleCount"],
        )
        return int(sum(each["SampleCount"] for each in found["Datapoints"]))

    def spoil(self, job: str) -> None:
        """Put rows in the place of a job's that no model takes: all others the front door refuses itself."""
        self.loop.cloud.client("s3").put_object(
            Bucket=self.loop.endpoint.artefact_bucket, Key=self.item(job)["input"]["S"], Body=b'{"instances": [[1.0]]}'
        )

    def containers(self) -> list[ProcessContainer]:
        """Return its model servers."""
        return [each for each in self.loop.cloud.containers.running() if each.name.startswith(f"{self.name}/")]

    def lines(self, job: str) -> list[dict[str, Any]]:
        """Return what was written down of a job's predictions, once there is anything: logs come in later."""
        return self.loop.wait_for(lambda: self._lines(job), "what is written down of a job")

    def _lines(self, job: str) -> list[dict[str, Any]]:
        group = f"/aws/lambda/{self.door.function('work')}"
        logs = self.loop.cloud.client("logs")
        groups = [
            each["logGroupName"]
            for each in logs.describe_log_groups()["logGroups"]
            if "Work" in each["logGroupName"] or each["logGroupName"] == group
        ]
        events = [event for name in groups for event in logs.filter_log_events(logGroupName=name)["events"]]
        read = [json.loads(event["message"]) for event in events if event["message"].startswith('{"record"')]
        return [line for line in read if line["id"] == job]


@pytest.fixture(scope="module")
def own(door: Door) -> Own:
    """The endpoint of the jobs, once it is there."""
    found = Own(door)
    door.loop.wait_for(found.in_service, "the first version to be followed")
    return found


@dataclass(frozen=True)
class Waiting:
    """Jobs that were handed over while there was no instance.

    Parameters
    ----------
    rows, answered, refused
        Rows of the one that is answered, and both jobs.
    """

    rows: list[list[float]]
    answered: str
    refused: str


@pytest.fixture(scope="module")
def waiting(own: Own) -> Waiting:
    """Two jobs that wait for the first instance, of which the model does not take one."""
    own.empty()
    rows = days(3)
    found = Waiting(rows, own.ask(rows), own.ask(days(1, first=5)))
    own.wait_until_handed_over(found.answered, found.refused)
    assert own.instances == 0
    own.spoil(found.refused)
    return found


def test_a_job_starts_the_first_instance_and_is_answered(own: Own, waiting: Waiting) -> None:
    shown = own.answer(waiting.answered)
    assert (shown["status"], shown["model_version"]) == ("done", FIRST), shown
    assert shown["predictions"] == [own.door.directly(row)[0] for row in waiting.rows]
    assert own.instances == 1
    (line,) = own.lines(waiting.answered)
    assert (line["status"], line["model_version"], line["variant"], line["rows"]) == (200, FIRST, "jobs", 3)


def test_rows_that_only_the_model_refuses_are_refused(own: Own, waiting: Waiting) -> None:
    shown = own.answer(waiting.refused)
    assert (shown["status"], shown["problem"]["status"]) == ("failed", 422), shown
    assert own.attempts(waiting.refused) == 1
    (line,) = own.lines(waiting.refused)
    assert (line["status"], line["output"]) == (422, None)


def test_a_container_that_dies_in_the_middle_costs_nothing(own: Own) -> None:
    own.loop.wait_for(own.in_service, "nobody to change it")
    rows, before = days(1, first=10), own.containers()
    assert all(signalled(each, signal.SIGSTOP) for each in before)
    begun = own.begun()
    job = own.ask(rows)
    own.loop.wait_for(lambda: own.begun() > begun, "an instance to have the job's rows")
    own.wait_until_handed_over(job)
    assert own.show(job)["status"] == "running"
    assert all(signalled(each, signal.SIGKILL) for each in before)
    shown = own.answer(job)
    assert (shown["status"], shown["predictions"]) == ("done", own.door.directly(rows[0])), own.item(job)
    # SageMaker itself has asked again; nobody else did.
    assert own.attempts(job) == 1
    assert [line["status"] for line in own.lines(job)] == [200]


def test_without_jobs_there_are_no_instances(own: Own) -> None:
    own.loop.wait_for(lambda: own.instances == 0, "the last instance to go", 300)


def test_a_promoted_version_is_followed(own: Own) -> None:
    before = own.model_data()
    with own.loop.traffic():
        own.loop.approve(SECOND)
        assert own.loop.wait_for_end(1).outcome == "PROMOTED", own.loop.story()
    own.loop.wait_for(lambda: own.in_service() and own.model_data() != before, "the promoted version to be followed")
    assert own.model_data() == own.loop.live_fleet()["model_data"]
    shown = own.answer(own.ask(days(1)))
    assert (shown["status"], shown["predictions"]) == ("done", own.door.directly(days(1)[0]))
    own.loop.wait_for(lambda: len(_made(own)) == 2, "what made the first version answer to be removed")
    shown = own.answer(own.ask(days(1, first=20)))
    assert shown["model_version"] == SECOND


def test_nobody_has_met_an_error_or_a_fault(own: Own) -> None:
    lines = own.loop.function_logs().splitlines()
    assert [line for line in lines if '"tidegate-follow"' in line], "they are all read"
    assert not [line for line in lines if '"level": "ERROR"' in line]


def test_it_goes_with_its_stack(own: Own) -> None:
    deployer = own.loop.cloud.deployer
    (stack,) = [name for name in deployer.stacks() if name.endswith("Inference")]
    (removed,) = deployer.destroy([stack])
    assert removed.status == "DELETE_COMPLETE"
    assert own.describe() == {}
    assert _made(own) == []
    alarms = own.loop.cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert not [each["AlarmName"] for each in alarms if own.name in each["AlarmName"]]


def _made(own: Own) -> list[str]:
    sagemaker = own.loop.cloud.client("sagemaker")
    models = sagemaker.list_models(NameContains=own.name)["Models"]
    configs = sagemaker.list_endpoint_configs(NameContains=own.name)["EndpointConfigs"]
    return [each["ModelName"] for each in models] + [each["EndpointConfigName"] for each in configs]
