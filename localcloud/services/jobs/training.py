"""Training jobs: channels, hyperparameters, checkpoints, and a model in /opt/ml/model."""

import json
import math
import tarfile
from pathlib import Path
from typing import Any, ClassVar

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.dockerfile import Dockerfile
from localcloud.physics.times import to_datetime
from localcloud.services.jobs.accepted import TRAINING
from localcloud.services.jobs.kind import HOST, ProgramKind
from localcloud.services.jobs.records import COMPLETED, LONGEST_TEXT, STOPPED, Job, Request
from localcloud.services.jobs.run import Run
from localcloud.services.jobs.scratch import Scratch, check_local_path
from localcloud.services.jobs.storage import RoleStorage

_CONFIG = "/opt/ml/input/config"
_MODEL = "/opt/ml/model"
_FAILURE = "/opt/ml/output/failure"
_OUTPUT_DATA = "/opt/ml/output/data"
_CHECKPOINTS = "/opt/ml/checkpoints"


class TrainingKind(ProgramKind):
    """Training jobs."""

    label: ClassVar[str] = "TrainingJob"
    arn_kind: ClassVar[str] = "training-job"
    log_group: ClassVar[str] = "/aws/sagemaker/TrainingJobs"
    event: ClassVar[str] = "SageMaker Training Job State Change"
    accepted: ClassVar[dict[str, Any]] = TRAINING
    spot: ClassVar[bool] = True

    def check(self, request: Request) -> None:
        """Refuse what is not honoured, and what managed spot training does not admit."""
        super().check(request)
        for name in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
            if not request.get(name):
                raise _invalid(f"{name} is required")
        if not request["AlgorithmSpecification"].get("TrainingImage"):
            raise NotSimulatedError("CreateTrainingJob without AlgorithmSpecification.TrainingImage")
        check_local_path(_checkpoint_folder(request), "/opt/ml", "CheckpointConfig.LocalPath")
        _check_waiting(request)

    def image(self, request: Request) -> str:
        """Return the image's URI."""
        return str(request["AlgorithmSpecification"]["TrainingImage"])

    def command(self, dockerfile: Dockerfile, request: Request) -> list[str]:
        """Return the ENTRYPOINT with ``train``, or what ContainerEntrypoint and ContainerArguments say."""
        asked = request["AlgorithmSpecification"]
        arguments = asked.get("ContainerArguments") or []
        if asked.get("ContainerEntrypoint"):
            return [*asked["ContainerEntrypoint"], *arguments]
        return dockerfile.program(*(arguments or ["train"]))

    def variables(self, job: Job) -> dict[str, str]:
        """Return name and ARN's variables."""
        return {"TRAINING_JOB_NAME": job.name, "TRAINING_JOB_ARN": job.arn}

    def fetch(self, job: Job, scratch: Scratch, storage: RoleStorage) -> None:
        """Write the configuration, and fetch the channels and the checkpoints of earlier runs."""
        self._configure(job.request, scratch)
        for channel in job.request.get("InputDataConfig") or []:
            source = channel["DataSource"].get("S3DataSource")
            if source is None:
                raise NotSimulatedError(f"the channel {channel['ChannelName']} without S3DataSource")
            folder = scratch.folder(f"/opt/ml/input/data/{channel['ChannelName']}")
            fetch = storage.fetch_manifest if source["S3DataType"] == "ManifestFile" else storage.fetch_prefix
            fetch(source["S3Uri"], folder)
        for path in (_MODEL, _OUTPUT_DATA):
            scratch.folder(path)
        checkpoints = _checkpoint_uri(job.request)
        if checkpoints:
            folder = scratch.folder(_checkpoint_folder(job.request))
            storage.fetch_prefix(checkpoints.rstrip("/") + "/", folder, may_be_empty=True)

    def keep(self, job: Job, scratch: Scratch, storage: RoleStorage) -> None:
        """Store the checkpoints."""
        checkpoints = _checkpoint_uri(job.request)
        if checkpoints:
            storage.put_folder(scratch.path(_checkpoint_folder(job.request)), checkpoints, _key(job.request))

    def store(self, job: Job, scratch: Scratch, storage: RoleStorage, status: str) -> None:
        """Store the model, which a stopped job has had time to save too, and what else the program put out."""
        if status in (COMPLETED, STOPPED):
            self._put_archive(job, scratch, storage, _MODEL, "model")
        self._put_archive(job, scratch, storage, _OUTPUT_DATA, "output")

    def failure(self, job: Job, scratch: Scratch, run: Run) -> str:  # noqa: ARG002 - the kinds share the form
        """Return the reason, with what the program says about it."""
        told = (scratch.read(_FAILURE, LONGEST_TEXT) or "").strip()
        return f"AlgorithmError: {told or 'See job logs for more information'}, exit code: {run.status}"

    def note(self, job: Job, scratch: Scratch) -> None:
        """Take nothing: only a failure is told of."""

    def network_isolated(self, request: Request) -> bool:
        """Whether EnableNetworkIsolation is set."""
        return bool(request.get("EnableNetworkIsolation"))

    def describe(self, job: Job) -> dict[str, Any]:
        """Return what DescribeTrainingJob answers."""
        answer = {
            **self.described(job),
            "SecondaryStatus": job.secondary,
            "ModelArtifacts": {"S3ModelArtifacts": f"{_base(job)}/output/model.tar.gz"},
            "SecondaryStatusTransitions": [
                {
                    "Status": each.status,
                    "StatusMessage": each.message,
                    "StartTime": to_datetime(each.started_at),
                    **({"EndTime": to_datetime(each.ended_at)} if each.ended_at is not None else {}),
                }
                for each in job.transitions
            ],
        }
        answer["OutputDataConfig"] = {"CompressionType": "GZIP", **job.request["OutputDataConfig"]}
        if job.trained_seconds and job.terminal:
            seconds = max(1, math.ceil(job.trained_seconds))
            answer |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        return answer

    def _configure(self, request: Request, scratch: Scratch) -> None:
        channels = {
            channel["ChannelName"]: {
                "TrainingInputMode": "File",
                "S3DistributionType": channel["DataSource"]
                .get("S3DataSource", {})
                .get("S3DataDistributionType", "FullyReplicated"),
                "RecordWrapperType": "None",
                **({"ContentType": channel["ContentType"]} if channel.get("ContentType") else {}),
            }
            for channel in request.get("InputDataConfig") or []
        }
        instance = request["ResourceConfig"].get("InstanceType", "")
        group = {"instance_group_name": "homogeneousCluster", "instance_type": instance, "hosts": [HOST]}
        resources = {
            "current_host": HOST,
            "current_instance_type": instance,
            "current_group_name": "homogeneousCluster",
            "hosts": [HOST],
            "instance_groups": [group],
            "network_interface_name": "eth0",
        }
        scratch.write(f"{_CONFIG}/hyperparameters.json", json.dumps(request.get("HyperParameters") or {}))
        scratch.write(f"{_CONFIG}/inputdataconfig.json", json.dumps(channels))
        scratch.write(f"{_CONFIG}/resourceconfig.json", json.dumps(resources))

    def _put_archive(self, job: Job, scratch: Scratch, storage: RoleStorage, local_path: str, name: str) -> None:
        folder = scratch.path(local_path)
        if folder.is_dir() and any(folder.iterdir()):
            archive = _archive(folder, scratch.root / f"{name}.tar.gz")
            storage.put_file(archive, f"{_base(job)}/output/{name}.tar.gz", _key(job.request))


def _archive(folder: Path, path: Path) -> Path:
    """Write a tar.gz of a folder's content, its files at the top."""
    with tarfile.open(path, "w:gz") as tar:
        for item in sorted(folder.iterdir()):
            tar.add(item, arcname=item.name)
    return path


def _base(job: Job) -> str:
    return f"{job.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{job.name}"


def _key(request: Request) -> str | None:
    return request["OutputDataConfig"].get("KmsKeyId") or None


def _checkpoint_uri(request: Request) -> str | None:
    return (request.get("CheckpointConfig") or {}).get("S3Uri")


def _checkpoint_folder(request: Request) -> str:
    return str((request.get("CheckpointConfig") or {}).get("LocalPath") or _CHECKPOINTS)


def _check_waiting(request: Request) -> None:
    stopping = request["StoppingCondition"]
    waits, runs = stopping.get("MaxWaitTimeInSeconds"), stopping.get("MaxRuntimeInSeconds", 86400)
    if request.get("EnableManagedSpotTraining"):
        if waits is None or waits < runs:
            raise _invalid(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds "
                f"({runs}) when EnableManagedSpotTraining is true"
            )
    elif waits is not None:
        raise _invalid("Invalid MaxWaitTimeInSeconds. It must not be given unless EnableManagedSpotTraining is true")


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
