"""An endpoint that is monitored and retrained: its past is written down, and its functions are called by hand."""

import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from moto.s3.models import s3_backends

from lambdas import contract
from lambdas.retraining import starting
from tests.logged import messages
from tests.scenarios.loop import POLL_SECONDS, Found, Loop
from tests.scenarios.retraining import weather
from tidegate import drift, labels, retraining, rollouts
from tidegate.retraining import Entry, Run

WINDOW, DELAY = 60, 60
"""Seconds, as environments/loop.yaml has them in minutes."""

_SETTLE = 2
PATIENCE_SECONDS = 120.0
"""Far more than a run takes on a busy machine."""

RESTART_SECONDS = PATIENCE_SECONDS + starting.TRY_SECONDS
"""For a run whose start was cut short: the sweep starts it again when that try must be over."""


class Watched(Loop):
    """The loop about one endpoint."""

    # -- what was -----------------------------------------------------------------------------------------------------

    @property
    def bucket(self) -> str:
        """The artefact bucket."""
        return self.endpoint.artefact_bucket

    def begin(self, windows: int) -> list[int]:
        """Let the monitor have last looked as many windows ago; return the starts of those that are due now."""
        last = int(time.time() - DELAY - _SETTLE) // WINDOW * WINDOW
        starts = list(range(last - windows * WINDOW, last, WINDOW))
        cursor = {"next": starts[0], "next_labels": starts[0], "revision": 1}
        item = {name: {"N": str(value)} for name, value in cursor.items()}
        item |= {
            contract.TABLE_PARTITION_KEY: {"S": contract.endpoint_partition(self.name)},
            contract.TABLE_SORT_KEY: {"S": "CURSOR"},
        }
        self.aws.dynamodb.put_item(TableName=contract.monitoring_table(self.environment), Item=item)
        return starts

    def capture(self, start: int, rows: range, edit: weather.Edit = weather.as_it_is) -> None:
        """Let days have been asked about in a window, as SageMaker captures it."""
        lines = weather.captures(rows, start, start + WINDOW, edit)
        (live,) = self.weights()
        at = start + WINDOW - 1
        folder = f"{contract.CAPTURE_PREFIX}/{self.name}/{self.name}/{live}/{weather.moment(at):%Y/%m/%d/%H}"
        key = f"{folder}/{uuid.uuid4().hex}.jsonl"
        self.aws.s3.put_object(Bucket=self.bucket, Key=key, Body="".join(f"{line}\n" for line in lines).encode())
        self._written(key, at)

    def label(self, at: float, told: list[labels.Label]) -> None:
        """Let labels have come at a time."""
        for uri in labels.put(self.aws, self.endpoint, told, weather.moment(at)):
            self._written(uri.removeprefix(f"s3://{self.bucket}/"), at)

    def _written(self, key: str, at: float) -> None:
        """Let an object have been written at a time."""
        stored: Any = s3_backends[self.cloud.account]["aws"].get_object(self.bucket, key)
        stored.last_modified = weather.moment(at).replace(tzinfo=None)

    # -- what is done -------------------------------------------------------------------------------------------------

    def function(self, handler: str) -> str:
        """Return a function's name."""
        return f"tidegate-{self.environment}-{handler}"

    def call(self, handler: str, event: dict[str, Any]) -> str:
        """Invoke a function and return how it failed; nothing when it did not."""
        client = self.cloud.client("lambda")
        answer = client.invoke(FunctionName=self.function(handler), Payload=json.dumps(event).encode())
        return answer["Payload"].read().decode() if "FunctionError" in answer else ""

    def look(self) -> None:
        """Let the monitor look at what is due."""
        assert not (failure := self.call("monitor", {"endpoint": self.name})), failure

    def sweep(self) -> None:
        """Let the sweeper of retraining look."""
        assert not (failure := self.call("sweep", {})), failure

    def order(self, command: str = "start", identity: str | None = None) -> None:
        """Order a run as an operator, or another thing."""
        detail = {"endpoint": self.name, "id": identity or uuid.uuid4().hex, "command": command, "by": "a test"}
        entry = {
            "Source": contract.OPERATOR_EVENT_SOURCE,
            "DetailType": contract.RETRAIN_COMMAND_DETAIL_TYPE,
            "Detail": json.dumps(detail),
        }
        self.cloud.client("events").put_events(Entries=[entry])

    # -- what came of it ----------------------------------------------------------------------------------------------

    def windows(self) -> dict[str, drift.Window]:
        """Return what the monitor has recorded, by the windows' starts."""
        return {each.start: each for each in drift.windows(self.aws, self.endpoint)}

    def window(self, start: int) -> drift.Window:
        """Return what is recorded of a window."""
        return self.windows()[f"{weather.moment(start):%Y-%m-%dT%H:%M:%SZ}"]

    def runs(self) -> list[Run]:
        """Return the retraining runs, oldest first."""
        return retraining.runs(self.aws, self.endpoint)

    def trail(self) -> list[Entry]:
        """Return what was decided about retraining."""
        return retraining.trail(self.aws, self.endpoint)

    def audit(self) -> list[rollouts.AuditEntry]:
        """Return what was decided about rollouts."""
        return rollouts.audit(self.aws, self.endpoint)

    def story(self) -> str:
        """Return both audit trails, for the message of a failed test."""
        lines = [f"{entry.at} {entry.kind} {entry.text}" for entry in self.trail()]
        return "\n".join([super().story(), *lines])

    def wait_for(
        self,
        look: Callable[[], Found | None],
        what: str,
        seconds: float = PATIENCE_SECONDS,
        poll: float = POLL_SECONDS,
    ) -> Found:
        """Wait as ever, but less patiently: nothing here takes minutes."""
        return super().wait_for(look, what, seconds, poll)

    def wait_for_runs(self, count: int) -> Run:
        """Wait until as many runs have ended; return the last."""

        def ended() -> Run | None:
            known = self.runs()
            assert len(known) <= count, f"{len(known)} runs, expected {count}\n{self.story()}"
            return known[-1] if len(known) == count and all(each.ended for each in known) else None

        return self.wait_for(ended, f"{count} runs to end")

    def packages(self) -> list[dict[str, Any]]:
        """Return every registered version, the first one first, as DescribeModelPackage reports it."""
        client = self.aws.sagemaker
        found = client.list_model_packages(ModelPackageGroupName=self.name, SortOrder="Ascending")
        arns = [each["ModelPackageArn"] for each in found["ModelPackageSummaryList"]]
        return [dict(client.describe_model_package(ModelPackageName=arn)) for arn in arns]

    def executions(self) -> list[dict[str, Any]]:
        """Return the pipeline's executions, the first one first."""
        parameter = self.aws.ssm.get_parameter(Name=contract.retraining_parameter(self.environment, self.name))
        pipeline = json.loads(parameter["Parameter"]["Value"])["pipeline"]
        client = self.cloud.client("sagemaker")
        found = client.list_pipeline_executions(PipelineName=pipeline, SortOrder="Ascending")
        return [
            client.describe_pipeline_execution(PipelineExecutionArn=each["PipelineExecutionArn"])
            for each in found["PipelineExecutionSummaries"]
        ]

    def overlapping(self) -> int:
        """Return how many executions began before the one before had ended."""
        spans = [(each["CreationTime"], each["LastModifiedTime"]) for each in self.executions()]
        return sum(begins < ended for (_, ended), (begins, _) in pairwise(spans))

    def json(self, run: Run, path: str) -> dict[str, Any]:
        """Return a file that a run has left."""
        key = f"{contract.RETRAINING_PREFIX}/{self.name}/{run.id}/{path}"
        found: dict[str, Any] = json.loads(self.aws.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        return found

    # -- what goes wrong ----------------------------------------------------------------------------------------------

    def job_process(self, step: str) -> int:
        """Wait for the process of a step's job; return its id."""
        return self.wait_for(lambda: self._process(step), f"the process of {step}")

    def kill_job(self, step: str) -> None:
        """Kill -9 a step's job with all that it has started."""
        os.killpg(os.getpgid(self.job_process(step)), signal.SIGKILL)

    def interrupt_training(self) -> str:
        """Take the spot instance away from a training that has some results; return the job's name."""
        progress = self.wait_for(self._progress, "a checkpoint", RESTART_SECONDS, poll=0.01)
        name = progress.parents[2].name
        self.cloud.faults.jobs.interrupt_spot_job(name)
        # Folders are called by the name in small letters; log streams have it as it is.
        return str(self.cloud.client("sagemaker").describe_training_job(TrainingJobName=name)["TrainingJobName"])

    def _progress(self) -> Path | None:
        jobs = self.cloud.work_dir / "jobs" / "training-job"
        return next(jobs.glob("*/ml/checkpoints/progress.json"), None)

    def training_logs(self, job: str) -> str:
        """Return what a training job has logged."""
        return "\n".join(messages(self.cloud.client("logs"), "/aws/sagemaker/TrainingJobs", job))

    def _process(self, step: str) -> int | None:
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and self._is_of(folder, step):
                return int(folder.name)
        return None

    def _is_of(self, folder: Path, step: str) -> bool:
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            ours = str(self.cloud.work_dir / "jobs").encode() in (folder / "environ").read_bytes()
        except OSError:  # it has ended
            return False
        return ours and b"model_containers.training" in command and step.encode() in command

    @contextmanager
    def killed(self, handler: str, times: int = 1) -> Iterator[list[int]]:
        """Kill -9 a function's workers while they work."""
        with self.killing(self.function(handler), times) as killed:
            yield killed
