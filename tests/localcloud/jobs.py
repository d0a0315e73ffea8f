"""Small images, roles and requests for the tests of jobs and pipelines."""

import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.cloud import LocalCloud
from tests.logged import messages

STORAGE = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"], "Resource": "*"}
LOGS = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "*",
}
DOCKERFILE = """\
FROM python:3.12-slim
WORKDIR /opt/program
COPY program.py /opt/program/
ENTRYPOINT ["python", "program.py"]
"""
TRUST = "sagemaker.amazonaws.com"
PATIENCE_SECONDS = 60.0


@dataclass
class Jobs:
    """Makes what jobs need on a cloud, and looks at them."""

    cloud: LocalCloud
    workshop: Any
    folder: Path

    @property
    def sagemaker(self) -> Any:
        return self.cloud.client("sagemaker")

    def image(self, source: str) -> str:
        """Register an image whose program is `source`, with `root`, the place of /opt/ml, defined."""
        folder = self.folder / self.workshop.name("image")
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text(DOCKERFILE)
        head = "import json, os, sys, time, signal, pathlib\nroot = pathlib.Path(os.environ['SM_ROOT'])\n"
        (folder / "program.py").write_text(head + textwrap.dedent(source))
        uri = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/programs:{folder.name}"
        self.cloud.images.register(uri, folder)
        return uri

    def role(self, *statements: dict[str, Any]) -> str:
        return str(self.workshop.role(*(statements or (STORAGE, LOGS)), service=TRUST))

    def bucket(self, **objects: str) -> str:
        name = self.workshop.name("jobs-bucket")
        self.cloud.client("s3").create_bucket(Bucket=name)
        for key, body in objects.items():
            self.put(name, key, body)
        return name

    def put(self, bucket: str, key: str, body: str) -> None:
        self.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=body.encode())

    def get(self, bucket: str, key: str) -> bytes:
        body: bytes = self.cloud.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        answer = self.cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for item in answer.get("Contents", [])]

    def process(self, image: str, role: str | None = None, **more: Any) -> str:
        """Create a processing job, and return its name."""
        name = more.pop("ProcessingJobName", None) or self.workshop.name("processing")
        application = {"ImageUri": image, **more.pop("AppSpecification", {})}
        self.sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=role or self.role(),
            AppSpecification=application,
            **{"ProcessingResources": CLUSTER, **more},
        )
        return str(name)

    def processed(self, name: str) -> dict[str, Any]:
        """Return the description of a processing job that has ended."""
        return self._ended(lambda: self.sagemaker.describe_processing_job(ProcessingJobName=name), "Processing")

    def train(self, image: str, bucket: str, role: str | None = None, **more: Any) -> str:
        """Create a training job, and return its name."""
        name = more.pop("TrainingJobName", None) or self.workshop.name("training")
        algorithm = {"TrainingImage": image, "TrainingInputMode": "File", **more.pop("AlgorithmSpecification", {})}
        settings = {
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        }
        self.sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=role or self.role(),
            AlgorithmSpecification=algorithm,
            **{**settings, **more},
        )
        return str(name)

    def trained(self, name: str) -> dict[str, Any]:
        """Return the description of a training job that has ended."""
        return self._ended(lambda: self.sagemaker.describe_training_job(TrainingJobName=name), "Training")

    def log_text(self, group: str, job: str) -> str:
        return "\n".join(messages(self.cloud.client("logs"), group, job))

    @staticmethod
    def _ended(describe: Any, label: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found: dict[str, Any] = describe()
            if found[f"{label}JobStatus"] in ("Completed", "Failed", "Stopped"):
                return found
            time.sleep(0.05)
        raise AssertionError(f"the job did not end: {found}")


CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}}


def source(name: str, uri: str, kind: str = "S3Prefix") -> dict[str, Any]:
    """Return a processing input."""
    place = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/{name}", "S3DataType": kind, "S3InputMode": "File"}
    return {"InputName": name, "S3Input": place}


def target(name: str, uri: str, **more: Any) -> dict[str, Any]:
    """Return the configuration of one processing output."""
    place = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/{name}", "S3UploadMode": "EndOfJob"}
    return {"Outputs": [{"OutputName": name, "S3Output": place}], **more}
