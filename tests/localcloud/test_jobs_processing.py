"""Processing jobs: real processes between S3 and S3, under their role."""

import json
import os
import time
from contextlib import suppress

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.jobs import CLUSTER, LOGS, STORAGE, source, target

COPY = """
for path in sorted((root / "processing/in").rglob("*")):
    if path.is_file():
        copy = root / "processing/out" / path.relative_to(root / "processing/in")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text().upper())
print("copied", *sys.argv[1:], os.environ.get("COLOUR"))
"""
SLOW = """
def stop(*_):
    (root / "output").mkdir(exist_ok=True)
    (root / "output/message").write_text("asked to stop")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("waiting", flush=True)
time.sleep(60)
"""
GROUP = "/aws/sagemaker/ProcessingJobs"


@pytest.fixture(scope="module")
def copying(jobs):
    return jobs.image(COPY)


@pytest.fixture(scope="module")
def slow(jobs):
    return jobs.image(SLOW)


def _waits(jobs, name, wait_until):
    wait_until(lambda: "waiting" in jobs.log_text(GROUP, name))


def test_inputs_become_outputs_with_arguments_variables_and_logs(jobs, copying, wait_until):
    bucket = jobs.bucket(**{"raw/a.txt": "a", "raw/deep/b.txt": "b", "rawer/c.txt": "c"})
    name = jobs.process(
        copying,
        ProcessingInputs=[source("in", f"s3://{bucket}/raw/")],
        ProcessingOutputConfig=target("out", f"s3://{bucket}/done"),
        AppSpecification={"ContainerArguments": ["--from", "/opt/ml/processing/in"]},
        Environment={"COLOUR": "red"},
    )
    found = jobs.processed(name)
    assert found["ProcessingJobStatus"] == "Completed", found
    assert jobs.keys(bucket, "done/") == ["done/a.txt", "done/deep/b.txt"]
    assert jobs.get(bucket, "done/deep/b.txt") == b"B"
    assert found["CreationTime"] <= found["ProcessingStartTime"] <= found["ProcessingEndTime"]
    assert found["LastModifiedTime"] == found["ProcessingEndTime"]
    line = wait_until(lambda: jobs.log_text(GROUP, name))
    assert line.startswith("copied --from /")
    assert line.endswith("/ml/processing/in red")


def test_an_entrypoint_of_its_own_takes_the_place_of_the_images(jobs, copying):
    code = "import os,pathlib; pathlib.Path(os.environ['SM_ROOT'], 'output', 'message').write_text('hello')"
    name = jobs.process(
        copying, AppSpecification={"ContainerEntrypoint": ["python", "-c"], "ContainerArguments": [code]}
    )
    assert jobs.processed(name)["ExitMessage"] == "hello"


def test_a_manifest_names_the_objects(jobs, copying):
    bucket = jobs.bucket(**{"raw/a.txt": "a", "raw/deep/b.txt": "b", "raw/c.txt": "c"})
    jobs.put(bucket, "list.manifest", json.dumps([{"prefix": f"s3://{bucket}/raw/"}, "deep/b.txt", "c.txt"]))
    name = jobs.process(
        copying,
        ProcessingInputs=[source("in", f"s3://{bucket}/list.manifest", "ManifestFile")],
        ProcessingOutputConfig=target("out", f"s3://{bucket}/done/"),
    )
    assert jobs.processed(name)["ProcessingJobStatus"] == "Completed"
    assert jobs.keys(bucket, "done/") == ["done/c.txt", "done/deep/b.txt"]


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ("not json", "must be a JSON list"),
        ('[{"prefix": "elsewhere/"}, "a"]', "must be an S3 URI"),
        ('[{"prefix": "s3://b/"}]', "followed by one or more paths"),
        ('[{"prefix": "s3://b/"}, "../../a"]', "leads out of"),
    ],
)
def test_a_bad_manifest_fails_the_job_by_name(jobs, copying, manifest, why):
    bucket = jobs.bucket(m=manifest)
    name = jobs.process(copying, ProcessingInputs=[source("in", f"s3://{bucket}/m", "ManifestFile")])
    reason = jobs.processed(name)["FailureReason"]
    assert why in reason
    assert f"s3://{bucket}/m" in reason


def test_nothing_under_a_prefix_fails_the_job(jobs, copying):
    bucket = jobs.bucket()
    name = jobs.process(copying, ProcessingInputs=[source("in", f"s3://{bucket}/nothing")])
    assert "No S3 objects found under S3 URL" in jobs.processed(name)["FailureReason"]


def test_the_role_must_be_allowed_to_read_and_to_write(jobs, copying):
    bucket = jobs.bucket(**{"raw/a.txt": "a"})
    reads = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
    for statements, what in (((LOGS,), "s3:ListBucket"), ((reads, LOGS), "s3:PutObject")):
        name = jobs.process(
            copying,
            jobs.role(*statements),
            ProcessingInputs=[source("in", f"s3://{bucket}/raw/")],
            ProcessingOutputConfig=target("out", f"s3://{bucket}/done/"),
        )
        found = jobs.processed(name)
        assert found["ProcessingJobStatus"] == "Failed"
        assert found["FailureReason"].startswith("ClientError: ")
        assert f"AccessDenied (403): User: arn:aws:sts::{jobs.cloud.account}:assumed-role/" in found["FailureReason"]
        assert what in found["FailureReason"]


def test_outputs_under_a_key_take_permission_to_use_it(jobs, copying):
    bucket = jobs.bucket(**{"raw/a.txt": "a"})
    key = jobs.cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    request = {
        "ProcessingInputs": [source("in", f"s3://{bucket}/raw/")],
        "ProcessingOutputConfig": target("out", f"s3://{bucket}/done", KmsKeyId=key),
    }
    refused = jobs.processed(jobs.process(copying, **request))
    assert "kms:GenerateDataKey" in refused["FailureReason"]
    may = {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": key}
    allowed = jobs.processed(jobs.process(copying, jobs.role(STORAGE, LOGS, may), **request))
    assert allowed["ProcessingJobStatus"] == "Completed", allowed


def test_a_program_that_fails_says_why_and_leaves_no_outputs(jobs):
    image = jobs.image("""
        (root / "processing/out/half.txt").write_text("half")
        (root / "output/message").write_text("no rows")
        sys.exit(3)
    """)
    bucket = jobs.bucket()
    found = jobs.processed(jobs.process(image, ProcessingOutputConfig=target("out", f"s3://{bucket}/done")))
    assert (found["ProcessingJobStatus"], found["ExitMessage"]) == ("Failed", "no rows")
    assert found["FailureReason"].endswith("exit code: 3")
    assert jobs.keys(bucket) == []


def test_an_image_that_is_not_there_fails_the_job(jobs):
    found = jobs.processed(jobs.process("123456789012.dkr.ecr.us-east-1.amazonaws.com/none:1"))
    assert "Cannot find the image" in found["FailureReason"]


def test_a_stopped_job_gets_a_signal_and_stops(jobs, slow, wait_until):
    name = jobs.process(slow)
    _waits(jobs, name, wait_until)
    jobs.sagemaker.stop_processing_job(ProcessingJobName=name)
    with suppress(ClientError):  # it may have stopped already
        jobs.sagemaker.stop_processing_job(ProcessingJobName=name)
    found = jobs.processed(name)
    assert (found["ProcessingJobStatus"], found["ExitMessage"]) == ("Stopped", "asked to stop")
    with pytest.raises(ClientError, match="is in status Stopped"):
        jobs.sagemaker.stop_processing_job(ProcessingJobName=name)


def test_a_job_that_runs_too_long_is_stopped(jobs, slow):
    found = jobs.processed(jobs.process(slow, StoppingCondition={"MaxRuntimeInSeconds": 1}))
    assert found["ProcessingJobStatus"] == "Stopped"


def test_names_are_unique_and_jobs_are_listed(jobs, copying):
    name = jobs.process(copying, Tags=[{"Key": "a", "Value": "1"}])
    with pytest.raises(ClientError, match="ResourceInUse"):
        jobs.process(copying, ProcessingJobName=name)
    found = jobs.processed(name)
    assert jobs.sagemaker.list_tags(ResourceArn=found["ProcessingJobArn"])["Tags"] == [{"Key": "a", "Value": "1"}]
    listed = jobs.sagemaker.list_processing_jobs(NameContains=name, StatusEquals="Completed")
    assert [each["ProcessingJobName"] for each in listed["ProcessingJobSummaries"]] == [name]
    with pytest.raises(ClientError, match="not found"):
        jobs.sagemaker.describe_processing_job(ProcessingJobName="nobody")


@pytest.mark.parametrize(
    ("request_part", "named"),
    [
        (
            {"NetworkConfig": {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}}},
            "NetworkConfig.VpcConfig",
        ),
        (
            {"ProcessingResources": {"ClusterConfig": {**CLUSTER["ClusterConfig"], "InstanceCount": 2}}},
            "ClusterConfig.InstanceCount 2",
        ),
        (
            {
                "ProcessingOutputConfig": {
                    "Outputs": [{"OutputName": "o", "FeatureStoreOutput": {"FeatureGroupName": "g"}}]
                }
            },
            "FeatureStoreOutput",
        ),
    ],
)
def test_what_is_not_simulated_is_refused_by_name(jobs, copying, request_part, named):
    with pytest.raises(ClientError, match="NotSimulated") as refused:
        jobs.process(copying, **request_part)
    assert named in str(refused.value)


def test_places_outside_of_the_containers_folder_are_refused(jobs, copying):
    bad = source("in", "s3://b/x")
    bad["S3Input"]["LocalPath"] = "/opt/ml/processing/../../etc"
    with pytest.raises(ClientError, match="must be a path below /opt/ml/processing"):
        jobs.process(copying, ProcessingInputs=[bad])


def test_creating_takes_permission_to_pass_a_role_that_trusts_sagemaker(jobs, copying, workshop):
    job_role = jobs.role()
    creates = {"Effect": "Allow", "Action": "sagemaker:CreateProcessingJob", "Resource": "*"}
    caller = workshop.role(creates)
    client = jobs.cloud.role_client("sagemaker", caller)
    request = {
        "ProcessingJobName": workshop.name("passing"),
        "ProcessingResources": CLUSTER,
        "AppSpecification": {"ImageUri": copying},
    }
    with pytest.raises(ClientError, match="iam:PassRole"):
        client.create_processing_job(RoleArn=job_role, **request)
    with pytest.raises(ClientError, match="Could not assume role"):
        jobs.process(copying, workshop.role(STORAGE))


def test_a_job_calls_aws_under_its_role_unless_it_is_isolated(jobs):
    image = jobs.image("""
        import boto3
        who = boto3.client("sts").get_caller_identity()["Arn"] if "AWS_ACCESS_KEY_ID" in os.environ else "nobody"
        (root / "output/message").write_text(who)
    """)
    role = jobs.role()
    found = jobs.processed(jobs.process(image, role))
    assert f":assumed-role/{role.rsplit('/', 1)[-1]}/SageMaker-" in found["ExitMessage"], found
    isolated = jobs.processed(jobs.process(image, role, NetworkConfig={"EnableNetworkIsolation": True}))
    assert isolated["ExitMessage"] == "nobody"


def test_the_configuration_lies_where_sagemaker_puts_it(jobs):
    image = jobs.image("""
        config = json.loads((root / "config/processingjobconfig.json").read_text())
        hosts = json.loads((root / "config/resourceconfig.json").read_text())["hosts"]
        seen = [config["ProcessingJobName"], config["ProcessingJobArn"] == os.environ["PROCESSING_JOB_ARN"], hosts]
        (root / "output/message").write_text(json.dumps(seen))
    """)
    name = jobs.process(image)
    assert json.loads(jobs.processed(name)["ExitMessage"]) == [name, True, ["algo-1"]]


def test_changes_of_the_status_are_told_to_the_bus(jobs, copying, workshop):
    url, arn = workshop.queue()
    name = workshop.name("told")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Processing Job State Change"],
        "detail": {"ProcessingJobName": [name]},
    }
    workshop.allow(url, arn, "events.amazonaws.com", workshop.rule(pattern, arn))
    jobs.process(copying, ProcessingJobName=name)
    events = [json.loads(message["Body"]) for message in workshop.messages(url, count=2)]
    by_status = {event["detail"]["ProcessingJobStatus"]: event for event in events}
    assert set(by_status) == {"InProgress", "Completed"}
    ended = by_status["Completed"]
    assert ended["resources"] == [ended["detail"]["ProcessingJobArn"]]
    assert ended["detail"]["ProcessingEndTime"] >= ended["detail"]["CreationTime"] > 1_500_000_000_000


def test_jobs_end_with_the_cloud(jobs, tmp_path):
    # The module's cloud is the only one of the process, so this asks a service of its own to close.
    from localcloud.services.jobs.job_service import JobService

    image = jobs.image("""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(os.getpid(), flush=True)
        time.sleep(60)
    """)
    service = JobService(jobs.cloud._job_surroundings, "123456789012", "us-east-1", lambda *_: None, {})
    service.create_processing_job(
        {
            "ProcessingJobName": "closing",
            "RoleArn": jobs.role(),
            "AppSpecification": {"ImageUri": image},
            "ProcessingResources": CLUSTER,
        }
    )
    log = jobs.cloud.work_dir / "jobs/processing-job/closing/output.log"
    deadline = time.monotonic() + 30
    while not (log.exists() and log.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.05)
    began = time.monotonic()
    service.close()
    assert time.monotonic() - began < 30  # it would run for 60
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)
