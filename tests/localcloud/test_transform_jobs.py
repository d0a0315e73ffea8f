"""Batch transforms: a model's own container answers objects of S3, under the model's role."""

import json
import os
import textwrap
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.jobs import LOGS
from tests.logged import messages

GROUP = "/aws/sagemaker/TransformJobs"
READS = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
SERVER = """
import http.server, json, os, sys, threading, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        wanted = os.environ.get("WANTED")
        if self.path == "/execution-parameters" and wanted:
            return self.answer(200, wanted.encode())
        self.answer(200 if self.path == "/ping" else 404, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print("payload", len(body), self.headers.get("Content-Type"), self.headers.get("Accept"), flush=True)
        if b"slow" in body:
            time.sleep(float(os.environ.get("SLOW", "0.3")))
        if b"bad" in body:
            return self.answer(400, b"row 1 is bad")
        self.answer(200, body.upper())

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler)
server.serve_forever()
"""
DOCKERFILE = """\
FROM python:3.12-slim
WORKDIR /opt/program
COPY program.py /opt/program/
ENTRYPOINT ["python", "program.py"]
"""


class Transforms:
    """Makes models and transforms, and looks at them."""

    def __init__(self, jobs: Any) -> None:
        self.jobs = jobs
        self.sagemaker = jobs.sagemaker
        folder = jobs.folder / jobs.workshop.name("server")
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text(DOCKERFILE)
        (folder / "program.py").write_text(textwrap.dedent(SERVER))
        self.image = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/servers:{folder.name}"
        jobs.cloud.images.register(self.image, folder)

    def model(self, role: str | None = None, **environment: str) -> str:
        name = str(self.jobs.workshop.name("model"))
        container = {"Image": self.image, "Environment": environment}
        role = role or self.jobs.role()
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
        return name

    def start(self, model: str, bucket: str, **more: Any) -> str:
        name = str(more.pop("TransformJobName", None) or self.jobs.workshop.name("transform"))
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in/"} | more.pop("S3DataSource", {})
        given = {"ContentType": "text/csv", "SplitType": "Line"} | more.pop("TransformInput", {})
        self.sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=model,
            TransformInput={"DataSource": {"S3DataSource": source}, **given},
            TransformOutput={"S3OutputPath": f"s3://{bucket}/out/", **more.pop("TransformOutput", {})},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 2},
            **more,
        )
        return name

    def ended(self, name: str) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.sagemaker.describe_transform_job(TransformJobName=name)
            if found["TransformJobStatus"] in ("Completed", "Failed", "Stopped"):
                return found
            time.sleep(0.05)
        raise AssertionError(f"the job did not end: {found}")

    def payloads(self, name: str, wait_until: Any, count: int) -> list[str]:
        """Return what the container has logged of its payloads."""

        def logged() -> list[str]:
            lines = messages(self.jobs.cloud.client("logs"), GROUP, f"{name}/")
            return [line for line in lines if line.startswith("payload")]

        return list(wait_until(lambda: (found := logged()) and len(found) >= count and found))


@pytest.fixture(scope="module")
def transforms(jobs):
    return Transforms(jobs)


def test_each_object_below_the_prefix_becomes_an_output_of_its_own(jobs, transforms):
    bucket = jobs.bucket(**{"in/a.csv": "a\nb\n", "in/deep/b.csv": "c\n", "inner/c.csv": "x\n"})
    name = transforms.start(transforms.model(), bucket)
    found = transforms.ended(name)
    assert found["TransformJobStatus"] == "Completed", found
    assert jobs.keys(bucket, "out/") == ["out/a.csv.out", "out/deep/b.csv.out"]
    assert jobs.get(bucket, "out/a.csv.out") == b"A\nB\n"
    assert found["CreationTime"] <= found["TransformStartTime"] <= found["TransformEndTime"]
    assert found["TransformResources"]["InstanceCount"] == 2


def test_a_manifest_names_the_objects(jobs, transforms):
    bucket = jobs.bucket(**{"in/a.csv": "a", "in/deep/b.csv": "b", "in/c.csv": "c"})
    jobs.put(bucket, "list.manifest", json.dumps([{"prefix": f"s3://{bucket}/in/"}, "deep/b.csv", "c.csv"]))
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{bucket}/list.manifest"}
    found = transforms.ended(transforms.start(transforms.model(), bucket, S3DataSource=source))
    assert found["TransformJobStatus"] == "Completed", found
    assert jobs.keys(bucket, "out/") == ["out/c.csv.out", "out/deep/b.csv.out"]


def test_payloads_hold_as_many_lines_as_they_can_and_answers_keep_their_order(jobs, transforms, wait_until):
    lines = [f"{number:07d}{',slow' if number % 40_000 == 0 else ''}" for number in range(300_000)]
    bucket = jobs.bucket(**{"in/a.csv": "\n".join(lines)})
    name = transforms.start(
        transforms.model(), bucket, MaxPayloadInMB=1, MaxConcurrentTransforms=4, TransformOutput={"Accept": "text/csv"}
    )
    assert transforms.ended(name)["TransformJobStatus"] == "Completed"
    assert jobs.get(bucket, "out/a.csv.out").decode() == "\n".join(lines).upper()
    payloads = transforms.payloads(name, wait_until, 3)
    assert len(payloads) == 3
    assert all(int(line.split()[1]) <= 1024 * 1024 for line in payloads)
    assert payloads[0].endswith("text/csv text/csv")


def test_single_records_go_one_by_one_and_lines_are_assembled(jobs, transforms, wait_until):
    bucket = jobs.bucket(**{"in/a.json": "a\nb\nc"})
    name = transforms.start(
        transforms.model(), bucket, BatchStrategy="SingleRecord", TransformOutput={"AssembleWith": "Line"}
    )
    assert transforms.ended(name)["TransformJobStatus"] == "Completed"
    assert len(transforms.payloads(name, wait_until, 3)) == 3
    assert jobs.get(bucket, "out/a.json.out") == b"A\n\nB\n\nC\n"


def test_without_a_split_an_object_is_one_payload(jobs, transforms, wait_until):
    bucket = jobs.bucket(**{"in/a": "a\nb\n"})
    name = transforms.start(transforms.model(), bucket, TransformInput={"SplitType": "None"})
    assert transforms.ended(name)["TransformJobStatus"] == "Completed"
    assert len(transforms.payloads(name, wait_until, 1)) == 1


def test_the_container_says_what_it_wants_where_the_request_does_not(jobs, transforms, wait_until):
    bucket = jobs.bucket(**{"in/a": "a\nb\n"})
    wanted = json.dumps({"BatchStrategy": "SINGLE_RECORD", "MaxConcurrentTransforms": 2, "MaxPayloadInMB": 3})
    name = transforms.start(transforms.model(WANTED=wanted), bucket)
    assert transforms.ended(name)["TransformJobStatus"] == "Completed"
    assert len(transforms.payloads(name, wait_until, 2)) == 2


def test_a_refused_row_fails_its_object_and_the_job_but_no_other_object(jobs, transforms):
    bucket = jobs.bucket(**{"in/a.csv": "a\n", "in/b.csv": "good\nbad\n", "in/c.csv": "c\n"})
    found = transforms.ended(transforms.start(transforms.model(), bucket))
    assert found["TransformJobStatus"] == "Failed"
    assert f"s3://{bucket}/in/b.csv: Bad HTTP status received from algorithm: 400" in found["FailureReason"]
    assert "row 1 is bad" in found["FailureReason"]
    assert jobs.keys(bucket, "out/") == ["out/a.csv.out", "out/c.csv.out"]


def test_a_record_larger_than_a_payload_fails_its_object(jobs, transforms):
    bucket = jobs.bucket(**{"in/a.csv": "a\n", "in/b.csv": "a\n" + "b" * (1024 * 1024 + 1)})
    found = transforms.ended(transforms.start(transforms.model(), bucket, MaxPayloadInMB=1))
    assert f"s3://{bucket}/in/b.csv: line 2 is larger than MaxPayloadInMB (1)" in found["FailureReason"]
    assert jobs.keys(bucket, "out/") == ["out/a.csv.out"]


def _begins(jobs, transforms, **more):
    """Start a transform of one object that is answered soon and one that takes minutes; wait for the first."""
    bucket = jobs.bucket(**{"in/a.csv": "a\n", "in/b.csv": "slow\n" * 20, "in/c.csv": "c\n"})
    name = transforms.start(transforms.model(SLOW="20"), bucket, BatchStrategy="SingleRecord", **more)
    deadline = time.monotonic() + 60
    while not jobs.keys(bucket, "out/"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return bucket, name


def test_a_killed_model_server_fails_the_job_at_once(jobs, transforms):
    bucket, name = _begins(jobs, transforms)
    jobs.cloud.faults.jobs.kill_transform_job(name)
    found = transforms.ended(name)
    assert found["TransformJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("AlgorithmError: The model's container ended")
    assert jobs.keys(bucket, "out/") == ["out/a.csv.out"]
    with pytest.raises(LookupError):
        jobs.cloud.faults.jobs.kill_transform_job(name)


def test_a_stopped_job_keeps_what_it_has_and_leaves_no_process(jobs, transforms):
    bucket, name = _begins(jobs, transforms)
    server = jobs.cloud.jobs.server(name)
    transforms.sagemaker.stop_transform_job(TransformJobName=name)
    assert transforms.ended(name)["TransformJobStatus"] == "Stopped"
    assert jobs.keys(bucket, "out/") == ["out/a.csv.out"]
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
    with pytest.raises(ClientError, match="is in status Stopped"):
        transforms.sagemaker.stop_transform_job(TransformJobName=name)


def test_a_planned_failure_strikes_a_transform_too(jobs, transforms):
    jobs.cloud.faults.jobs.fail_job("doomed", "CapacityError: none")
    bucket = jobs.bucket(**{"in/a": "a"})
    name = transforms.start(transforms.model(), bucket, TransformJobName="doomed-transform")
    assert transforms.ended(name)["FailureReason"] == "CapacityError: none"


def test_the_models_role_must_be_allowed_to_read_and_to_write(jobs, transforms):
    bucket = jobs.bucket(**{"in/a.csv": "a"})
    for statements, what in (((LOGS,), "s3:ListBucket"), ((READS, LOGS), "s3:PutObject")):
        found = transforms.ended(transforms.start(transforms.model(jobs.role(*statements)), bucket))
        assert found["TransformJobStatus"] == "Failed"
        assert what in found["FailureReason"]


def test_nothing_under_the_prefix_and_an_unknown_model_are_told(jobs, transforms):
    bucket = jobs.bucket()
    assert "No S3 objects found" in transforms.ended(transforms.start(transforms.model(), bucket))["FailureReason"]
    with pytest.raises(ClientError, match="Could not find model"):
        transforms.start("nobody", bucket)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"DataProcessing": {"JoinSource": "Input"}}, "DataProcessing with Accept None"),
        ({"DataProcessing": {"OutputFilter": "$..x"}}, "DataProcessing.OutputFilter '$..x'"),
        ({"TransformInput": {"SplitType": "RecordIO"}}, "TransformInput.SplitType 'RecordIO'"),
        ({"TransformInput": {"CompressionType": "Gzip"}}, "TransformInput.CompressionType"),
        ({"MaxPayloadInMB": 0}, "MaxPayloadInMB 0"),
        ({"DataCaptureConfig": {"DestinationS3Uri": "s3://b/c"}}, "DataCaptureConfig"),
    ],
)
def test_what_is_not_simulated_is_refused_by_name(jobs, transforms, more, named):
    with pytest.raises(ClientError, match="NotSimulated") as refused:
        transforms.start(transforms.model(), "bucket", **more)
    assert named in str(refused.value)


def test_payloads_that_are_too_large_together_are_refused(jobs, transforms):
    with pytest.raises(ClientError, match=r"must not exceed 100"):
        transforms.start(transforms.model(), "bucket", MaxPayloadInMB=30, MaxConcurrentTransforms=4)


def test_changes_of_state_are_events_and_jobs_are_listed(jobs, transforms):
    url, arn = jobs.workshop.queue()
    rule = jobs.workshop.rule({"detail-type": ["SageMaker Transform Job State Change"]}, arn)
    jobs.workshop.allow(url, arn, "events.amazonaws.com", rule)
    bucket = jobs.bucket(**{"in/a": "a"})
    name = transforms.start(transforms.model(), bucket, Tags=[{"Key": "a", "Value": "1"}])
    transforms.ended(name)
    bodies = [json.loads(each["Body"])["detail"] for each in jobs.workshop.messages(url, count=2)]
    told = {each["TransformJobStatus"]: each for each in bodies if each["TransformJobName"] == name}
    assert set(told) == {"InProgress", "Completed"}
    assert isinstance(told["Completed"]["TransformEndTime"], int)
    listed = transforms.sagemaker.list_transform_jobs(NameContains=name, StatusEquals="Completed")
    assert [each["TransformJobName"] for each in listed["TransformJobSummaries"]] == [name]
    with pytest.raises(ClientError, match="ResourceInUse"):
        transforms.start(transforms.model(), bucket, TransformJobName=name)


def test_a_role_needs_permission_for_each_operation(jobs, transforms):
    may = {"Effect": "Allow", "Action": "sagemaker:DescribeTransformJob", "Resource": "*"}
    client = jobs.cloud.role_client("sagemaker", jobs.workshop.role(may))
    with pytest.raises(ClientError, match="not found"):
        client.describe_transform_job(TransformJobName="nobody")
    with pytest.raises(ClientError, match="sagemaker:StopTransformJob"):
        client.stop_transform_job(TransformJobName="nobody")


CSV_LINES = ({"Accept": "text/csv", "AssembleWith": "Line"}, {"ContentType": "text/csv"})
JSON_LINES = ({"Accept": "application/jsonlines", "AssembleWith": "Line"}, {"ContentType": "application/jsonlines"})


@pytest.mark.parametrize(
    ("lines", "processing", "rows", "answers"),
    [
        (CSV_LINES, {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,3:]"},
         '"k,1",a,b\nk2,c,d\n', b'"k,1",A,B\nk2,C,D\n'),
        (CSV_LINES, {"InputFilter": "$[1]"}, "k,a,b\n", b"A\n"),
        (CSV_LINES, {"JoinSource": "Input", "OutputFilter": "$[0,-1]"}, "k,a\n", b"k,A\n"),
        (JSON_LINES, {"InputFilter": "$.of.row", "JoinSource": "Input", "OutputFilter": "$['key','SageMakerOutput']"},
         '{"key": "k", "of": {"row": ["a"]}}\n', b'{"key": "k", "SageMakerOutput": ["A"]}\n'),
        (JSON_LINES, {"JoinSource": "Input"}, '["a"]\n', b'{"SageMakerInput": ["a"], "SageMakerOutput": ["A"]}\n'),
    ],
)  # fmt: skip
def test_records_are_filtered_and_joined_to_their_answers(jobs, transforms, lines, processing, rows, answers):
    (output, given), bucket = lines, jobs.bucket(**{"in/a": rows})
    more = {"TransformOutput": output, "TransformInput": {"SplitType": "Line", **given}}
    name = transforms.start(transforms.model(), bucket, DataProcessing=processing, **more)
    found = transforms.ended(name)
    assert found["TransformJobStatus"] == "Completed", found
    assert jobs.get(bucket, "out/a.out") == answers


def test_an_index_beyond_the_joined_record_fails_the_object(jobs, transforms):
    bucket = jobs.bucket(**{"in/a.csv": "k,a\n"})
    output, given = CSV_LINES
    processing = {"JoinSource": "Input", "OutputFilter": "$[9]"}
    name = transforms.start(
        transforms.model(), bucket, DataProcessing=processing, TransformOutput=output, TransformInput=given
    )
    assert "DataProcessing: IndexError" in transforms.ended(name)["FailureReason"]
