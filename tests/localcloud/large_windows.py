"""The state machine that counts large windows, made from the template's own resources, with its job and its merge."""

import io
import json
import random
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lambdas.monitoring.adapters.executions import StepFunctions
from lambdas.monitoring.adapters.s3 import S3Files
from lambdas.monitoring.executions import CountingExecutions
from lambdas.monitoring.gathering import Found
from lambdas.monitoring.settings import Job, Settings
from lambdas.monitoring.windows import Window
from lambdas.rollout.adapters.clients import Lazy
from localcloud.cloud import LocalCloud
from stacks.bundling import bundle_functions
from stacks.config import ROOT
from tests.localcloud.jobs import Jobs
from tests.unit.monitoring import fakes

SNAPSHOT = ROOT / "tests" / "infra" / "snapshots" / "loop.json"
BUCKET, ENDPOINT = "tidegate-loop-artefacts-123456789012-us-east-1", "rain-loop"
WINDOW = Window(fakes.START, fakes.START + 60)
WHERE = "us-east-1:123456789012"
PREFIX = f"capture/{ENDPOINT}/"

# The job's own program, from the repository instead of from an image.
PROGRAM = f"""
import os
sys.path.insert(0, {str(ROOT)!r})
os.environ["POLARS_MAX_THREADS"] = "1"
from model_containers.monitoring import job
sys.exit(job.run(root))
"""


class LargeWindows:
    """What counts large windows on a cloud, under the roles that the template gives it."""

    def __init__(self, cloud: LocalCloud, jobs: Jobs) -> None:
        self.cloud = cloud
        self._resources = json.loads(SNAPSHOT.read_text())["Monitoring"]["Resources"]
        self._known: dict[str, str] = {}
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        self._make_key()
        self._known["MergeFunction"] = f"arn:aws:lambda:{WHERE}:function:tidegate-loop-merge"
        self._known["MergeLogs"] = f"arn:aws:logs:{WHERE}:log-group:/aws/lambda/tidegate-loop-merge:*"
        cloud.client("logs").create_log_group(logGroupName="/aws/lambda/tidegate-loop-merge")
        for name, service in (("EndpointrainJob", "sagemaker"), ("MergeRole", "lambda"), ("LargeWindows", "states")):
            self._make_role(name, f"{service}.amazonaws.com")
        self._make_merge()
        self.machine = self._make_machine()
        self.files, self.executions = S3Files(self._lazy("s3")), StepFunctions(self._lazy("stepfunctions"))
        self.baseline = fakes.make_baseline(rows=400)
        job = Job(
            image=jobs.image(PROGRAM),
            role=self._known["EndpointrainJob"],
            instance_type="ml.m5.large",
            volume_gb=30,
            large_window_bytes=10_000_000,
            parallel_jobs=3,
            state_machine=self.machine,
        )
        world = fakes.FakeSettings().held
        self.settings = Settings(**{**vars(world), "endpoint": ENDPOINT, "bucket": BUCKET, "job": job})
        self.counting = CountingExecutions(self.executions, self.files, self.settings)

    def captured(self, folder: str, files: int, rows: int) -> Found:
        """Put files with captures, of which each has a line that cannot be used."""
        chance, prefix = random.Random(folder), f"{PREFIX}{folder}/"
        for number in range(files):
            seconds = [fakes.START + row % 60 for row in range(rows + number)]
            lines = [fakes.record(f"{number}-{row}", at, *fakes.row(chance)) for row, at in enumerate(seconds)]
            self._put(f"{prefix}blue/2026/11/22/03/{number}.jsonl", [*lines, b'{"captureData"'])
        return self.found(prefix)

    def labelled(self, folder: str, rows: int) -> Found:
        """Put two files of labels, of which the later one contradicts the other, and cannot be read in one line."""
        prefix = f"labels/{ENDPOINT}/{folder}/"
        first = [fakes.label_line(f"0-{row}", "1") for row in range(rows)]
        second = [fakes.label_line("0-0", "0"), b"{"]
        for name, lines in (("b.jsonl", first), ("a.jsonl", second)):
            self._put(f"{prefix}{name}", lines)
        return self.found(prefix)

    def found(self, prefix: str) -> Found:
        """Return what lies below a prefix, as if it had been written in the window."""
        files = tuple(replace(file, modified_at=fakes.START + 30.0) for file in self.files.below(BUCKET, prefix))
        return Found(prefix, files, {file.key.removeprefix(prefix): file.modified_at for file in files})

    def execution(self, name: str) -> dict[str, Any]:
        """Describe an execution."""
        arn = f"{self.machine.replace(':stateMachine:', ':execution:')}:{name}"
        described: dict[str, Any] = self.cloud.client("stepfunctions").describe_execution(executionArn=arn)
        return described

    def jobs_of(self, folder: str) -> list[dict[str, Any]]:
        """Return the names and statuses of the jobs that wrote below a window's folder."""
        sagemaker = self.cloud.client("sagemaker")
        pages = sagemaker.get_paginator("list_processing_jobs").paginate()
        names = [job["ProcessingJobName"] for page in pages for job in page["ProcessingJobSummaries"]]
        described = [sagemaker.describe_processing_job(ProcessingJobName=name) for name in names]
        return [job for job in described if folder in json.dumps(job["ProcessingOutputConfig"])]

    def _put(self, key: str, lines: list[bytes]) -> None:
        self.cloud.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"\n".join(lines))

    def _lazy(self, service: str) -> Lazy:
        return Lazy(service, self.cloud.client)

    def _of(self, beginning: str, kind: str) -> dict[str, Any]:
        (found,) = [
            each["Properties"]
            for name, each in self._resources.items()
            if name.startswith(beginning) and each["Type"] == f"AWS::{kind}"
        ]
        return dict(found)

    def _make_key(self) -> None:
        policy = self._text(self._of("Key", "KMS::Key")["KeyPolicy"])
        self._known["Key"] = self.cloud.client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]

    def _make_role(self, name: str, service: str) -> None:
        iam, trust = self.cloud.client("iam"), self._text(self._of(name, "IAM::Role")["AssumeRolePolicyDocument"])
        assert service in json.dumps(trust)
        self._known[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        document = json.dumps(self._text(self._of(name, "IAM::Policy")["PolicyDocument"]))
        iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=document)

    def _make_merge(self) -> None:
        function = self._of("MergeFunction", "Lambda::Function")
        self.cloud.client("lambda").create_function(
            FunctionName=function["FunctionName"],
            Runtime=function["Runtime"],
            Handler=function["Handler"],
            Role=self._known["MergeRole"],
            Timeout=function["Timeout"],
            Code={"ZipFile": _zipped(bundle_functions(ROOT))},
            Environment={"Variables": function["Environment"]["Variables"]},
        )

    def _make_machine(self) -> str:
        machine = self._text(self._of("LargeWindows", "StepFunctions::StateMachine"))
        encryption = machine["EncryptionConfiguration"]
        arn: str = self.cloud.client("stepfunctions").create_state_machine(
            name=machine["StateMachineName"],
            definition=machine["DefinitionString"],
            roleArn=self._known["LargeWindows"],
            encryptionConfiguration={"type": encryption["Type"], "kmsKeyId": encryption["KmsKeyId"]},
            loggingConfiguration={"level": machine["LoggingConfiguration"]["Level"]},
        )["stateMachineArn"]
        return arn

    def _text(self, value: Any) -> Any:
        """Return a value of the template with what it refers to filled in."""
        if isinstance(value, list):
            return [self._text(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        if "Ref" in value:
            return _PSEUDO.get(value["Ref"], value["Ref"])
        if "Fn::GetAtt" in value:
            name = value["Fn::GetAtt"][0]
            return next((arn for known, arn in self._known.items() if name.startswith(known)), f"unknown-{name}")
        if "Fn::Join" in value:
            return value["Fn::Join"][0].join(self._text(value["Fn::Join"][1]))
        return {key: self._text(item) for key, item in value.items()}


_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com",
}


def _zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(folder))
    return buffer.getvalue()
