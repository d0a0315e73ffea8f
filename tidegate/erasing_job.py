"""The SageMaker Processing job that takes a subject's rows out of an endpoint's audit."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.contract import AUDIT_PREFIX, INFERENCE_PREFIX
from tidegate.answers import Pace
from tidegate.aws import Aws
from tidegate.bucket_versions import delete_all, versions
from tidegate.errors import OperatorError, RefusedError
from tidegate.front_door import front_door
from tidegate.settings import EndpointSettings

LOOK_SECONDS = 5.0
LONGEST_SECONDS = 86_400
ARGUMENT = "erase"
_ROOT = "/opt/ml/processing"
_LONGEST_NAME = 24
_RUNNING = ("InProgress", "Stopping")
_LEAST_GIGABYTES, _MOST_GIGABYTES = 10, 1024
_COPIES = 2.5
"""What came and what goes are both on its disk."""

_UNFIT = re.compile(r"[^A-Za-z0-9-]")


@dataclass(frozen=True)
class Machine:
    """What the job runs on: image, execution role and kind of machine."""

    image: str
    role: str
    instance_type: str


@dataclass(frozen=True)
class Report:
    """What the job has done.

    Parameters
    ----------
    files, rows
        How many it has looked at.
    changed
        SHA-256 of the files that it wrote anew, by their names below the folder of the audit.
    erased
        How many rows it took out.
    unreadable
        Files that it could not read.
    """

    files: int = 0
    rows: int = 0
    changed: Mapping[str, str] | None = None
    erased: int = 0
    unreadable: tuple[str, ...] = ()


def machine_of(aws: Aws, endpoint: EndpointSettings) -> Machine:
    """Return what jobs that erase run on.

    Raises
    ------
    OperatorError
        When the deployment does not say.
    """
    door = front_door(aws, endpoint)
    described = door.described.get("erasure") if door is not None else None
    try:
        return Machine(described["image"], described["role"], described["instance_type"])  # type: ignore[index]
    except (KeyError, TypeError) as error:
        raise OperatorError(
            f"the front door of {endpoint.name} does not say what erases its audit",
            f"is audit: declared in its front_door: in environments/{endpoint.environment}.yaml? deploy it again",
        ) from error


def prefix_of(endpoint: EndpointSettings) -> str:
    """Return what the names of an endpoint's jobs that erase begin with."""
    return f"erase-{_UNFIT.sub('-', endpoint.name)[:_LONGEST_NAME].strip('-')}-"


def audit_folder(endpoint: EndpointSettings) -> str:
    """Return the folder of an endpoint's audit in the artefact bucket."""
    return f"{AUDIT_PREFIX}/{endpoint.name}/"


class ErasingJob:
    """One run of the job.

    Parameters
    ----------
    aws, endpoint
        Whose audit.
    pace
        Time.
    """

    def __init__(self, aws: Aws, endpoint: EndpointSettings, pace: Pace) -> None:
        self._aws, self._endpoint, self._pace = aws, endpoint, pace
        self.name = f"{prefix_of(endpoint)}{uuid.uuid4().hex[:12]}"
        self._folder = f"{INFERENCE_PREFIX}/{endpoint.name}/erasures/{self.name}/"

    def run(self, machine: Machine, subject: str, size: int, tick: Callable[[str, float], None]) -> Report:
        """Start the job, wait for its end, and return its report; `tick` is told how it stands, and since when.

        Raises
        ------
        RefusedError
            When another such job runs: of two that change one file, one would undo what the other has done.
        OperatorError
            When it fails.
        """
        self._alone()
        try:
            self._start(machine, subject, size)
            self._alone_still()
            self._wait(tick)
        finally:
            self._clear()
        return self._report()

    def _alone(self) -> None:
        others = self._others()
        if others:
            raise RefusedError(
                f"{others[0]} just erases another subject's rows of {self._endpoint.name}",
                "give the command again when it is done",
            )

    def _alone_still(self) -> None:
        try:
            self._alone()
        except RefusedError:
            self._aws.sagemaker.stop_processing_job(ProcessingJobName=self.name)
            raise

    def _others(self) -> list[str]:
        pages = self._aws.sagemaker.get_paginator("list_processing_jobs").paginate(
            NameContains=prefix_of(self._endpoint), StatusEquals="InProgress"
        )
        found = [job["ProcessingJobName"] for page in pages for job in page["ProcessingJobSummaries"]]
        return [name for name in found if name != self.name and name.startswith(prefix_of(self._endpoint))]

    def _start(self, machine: Machine, subject: str, size: int) -> None:
        self._aws.s3.put_object(
            Bucket=self._endpoint.artefact_bucket,
            Key=f"{self._folder}request/request.json",
            Body=json.dumps({"schema": 1, "subject": subject}).encode(),
            ContentType="application/json",
        )
        self._aws.sagemaker.create_processing_job(**self._request(machine, size))

    def _request(self, machine: Machine, size: int) -> Any:
        gigabytes = math.ceil(_COPIES * size / 1e9) + _LEAST_GIGABYTES
        bucket = f"s3://{self._endpoint.artefact_bucket}"
        audit = f"{bucket}/{audit_folder(self._endpoint)}"
        return {
            "ProcessingJobName": self.name,
            "AppSpecification": {"ImageUri": machine.image, "ContainerArguments": [ARGUMENT]},
            "RoleArn": machine.role,
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceCount": 1,
                    "InstanceType": machine.instance_type,
                    "VolumeSizeInGB": min(gigabytes, _MOST_GIGABYTES),
                }
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": LONGEST_SECONDS},
            "ProcessingInputs": [_input("audit", audit), _input("request", f"{bucket}/{self._folder}request/")],
            "ProcessingOutputConfig": {
                "Outputs": [_output("erased", audit), _output("report", f"{bucket}/{self._folder}report/")]
            },
            "NetworkConfig": {"EnableNetworkIsolation": False},
            "Tags": [{"Key": "tidegate:endpoint", "Value": self._endpoint.name}],
        }

    def _wait(self, tick: Callable[[str, float], None]) -> None:
        began = self._pace.now()
        while (seen := self._describe())["ProcessingJobStatus"] in _RUNNING:
            tick(seen["ProcessingJobStatus"], self._pace.now() - began)
            self._pace.sleep(LOOK_SECONDS)
        if seen["ProcessingJobStatus"] != "Completed":
            said = seen.get("ExitMessage") or seen.get("FailureReason") or "it does not say why"
            raise OperatorError(
                f"the job {self.name} is {seen['ProcessingJobStatus']}: {said}",
                "some of the audit may be changed: give the command again; its log is in /aws/sagemaker/ProcessingJobs",
            )

    def _describe(self) -> Any:
        return self._aws.sagemaker.describe_processing_job(ProcessingJobName=self.name)

    def _clear(self) -> None:
        """Take the subject's name away; jobs read their inputs as they start, and this is given up or over by now."""
        bucket = self._endpoint.artefact_bucket
        delete_all(self._aws, bucket, versions(self._aws, bucket, f"{self._folder}request/"))

    def _report(self) -> Report:
        key = f"{self._folder}report/report.json"
        content = self._aws.s3.get_object(Bucket=self._endpoint.artefact_bucket, Key=key)["Body"].read()
        told = json.loads(content)
        return Report(
            files=told["files"],
            rows=told["rows"],
            changed={each["name"]: each["sha256"] for each in told["changed"]},
            erased=sum(each["erased"] for each in told["changed"]),
            unreadable=tuple(told["unreadable"]),
        )


def _input(name: str, uri: str) -> dict[str, Any]:
    source = {
        "S3Uri": uri,
        "LocalPath": f"{_ROOT}/input/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
        "S3CompressionType": "None",
    }
    return {"InputName": name, "S3Input": source}


def _output(name: str, uri: str) -> dict[str, Any]:
    target = {"S3Uri": uri, "LocalPath": f"{_ROOT}/output/{name}", "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "S3Output": target}
