"""Training jobs: channels, hyperparameters, models, checkpoints, and spot instances that are taken away."""

import io
import json
import tarfile

import pytest
from botocore.exceptions import ClientError

LEARN = """
assert sys.argv[1:] == ["train"], sys.argv
config = root / "input/config"
seen = {name: json.loads((config / f"{name}.json").read_text())
        for name in ("hyperparameters", "inputdataconfig", "resourceconfig")}
seen["rows"] = (root / "input/data/train/rows.csv").read_text()
seen["name"] = os.environ["TRAINING_JOB_NAME"]
(root / "model").mkdir(exist_ok=True)
(root / "model/seen.json").write_text(json.dumps(seen))
"""
EPOCHS = """
checkpoints = root / "checkpoints"
epochs = sorted(checkpoints.iterdir())
print("found", [path.name for path in epochs], flush=True)
(checkpoints / f"epoch-{len(epochs)}").write_text(os.environ["TRAINING_JOB_ARN"])
print(f"epoch {len(epochs)}", flush=True)
if len(epochs) < 1:
    time.sleep(60)
(root / "model/epochs").write_text(str(len(epochs) + 1))
"""
SAVING = """
def stop(*_):
    (root / "model/half").write_text("half")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("waiting", flush=True)
time.sleep(60)
"""
GROUP = "/aws/sagemaker/TrainingJobs"
SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
}


def _channel(bucket, prefix="rows/"):
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{prefix}", "S3DataDistributionType": "FullyReplicated"}
    return [{"ChannelName": "train", "DataSource": {"S3DataSource": place}, "ContentType": "text/csv"}]


def _content(archive, name):
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return tar.extractfile(name).read().decode()


def _says(jobs, wait_until, name, text):
    wait_until(lambda: text in jobs.log_text(GROUP, name))


def test_a_model_is_made_of_channels_and_hyperparameters(jobs):
    bucket = jobs.bucket(**{"rows/rows.csv": "1,2"})
    name = jobs.train(jobs.image(LEARN), bucket, HyperParameters={"depth": "3"}, InputDataConfig=_channel(bucket))
    found = jobs.trained(name)
    assert found["TrainingJobStatus"] == "Completed", found
    assert found["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{bucket}/models/{name}/output/model.tar.gz"
    seen = json.loads(_content(jobs.get(bucket, f"models/{name}/output/model.tar.gz"), "seen.json"))
    assert seen["hyperparameters"] == {"depth": "3"}
    assert (seen["rows"], seen["name"]) == ("1,2", name)
    assert seen["inputdataconfig"]["train"]["ContentType"] == "text/csv"
    assert seen["resourceconfig"]["hosts"] == ["algo-1"]
    statuses = [each["Status"] for each in found["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert found["BillableTimeInSeconds"] == found["TrainingTimeInSeconds"] >= 1


def test_a_failure_file_is_the_reason(jobs):
    image = jobs.image("""
        (root / "output/failure").write_text("the loss is not a number")
        (root / "output/data/log.txt").write_text("steps")
        sys.exit(1)
    """)
    bucket = jobs.bucket()
    name = jobs.train(image, bucket)
    found = jobs.trained(name)
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"] == "AlgorithmError: the loss is not a number, exit code: 1"
    assert jobs.keys(bucket) == [f"models/{name}/output/output.tar.gz"]


def test_an_interrupted_spot_job_goes_on_from_its_checkpoints(jobs, wait_until):
    bucket = jobs.bucket()
    checkpoints = {"S3Uri": f"s3://{bucket}/checkpoints"}
    name = jobs.train(jobs.image(EPOCHS), bucket, CheckpointConfig=checkpoints, **SPOT)
    _says(jobs, wait_until, name, "epoch 0")
    jobs.cloud.faults.jobs.interrupt_spot_job(name)
    found = jobs.trained(name)
    assert found["TrainingJobStatus"] == "Completed", found
    assert "Interrupted" in [each["Status"] for each in found["SecondaryStatusTransitions"]]
    assert jobs.keys(bucket, "checkpoints/") == ["checkpoints/epoch-0", "checkpoints/epoch-1"]
    assert _content(jobs.get(bucket, f"models/{name}/output/model.tar.gz"), "epochs") == "2"
    with pytest.raises(LookupError, match="no spot training job"):
        jobs.cloud.faults.jobs.interrupt_spot_job(name)


def test_a_stopped_job_saves_its_model(jobs, wait_until):
    bucket = jobs.bucket()
    name = jobs.train(jobs.image(SAVING), bucket)
    _says(jobs, wait_until, name, "waiting")
    jobs.sagemaker.stop_training_job(TrainingJobName=name)
    found = jobs.trained(name)
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert _content(jobs.get(bucket, f"models/{name}/output/model.tar.gz"), "half") == "half"


def test_a_job_that_runs_too_long_is_stopped_and_says_so(jobs):
    bucket = jobs.bucket()
    name = jobs.train(jobs.image(SAVING), bucket, StoppingCondition={"MaxRuntimeInSeconds": 1})
    found = jobs.trained(name)
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert jobs.keys(bucket) == [f"models/{name}/output/model.tar.gz"]


def test_changes_of_status_are_told_to_the_bus(jobs, workshop):
    url, arn = workshop.queue()
    name = workshop.name("told")
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Training Job State Change"],
        "detail": {"TrainingJobName": [name], "TrainingJobStatus": ["Completed", "Failed", "Stopped"]},
    }
    workshop.allow(url, arn, "events.amazonaws.com", workshop.rule(pattern, arn))
    jobs.train(jobs.image("sys.exit(1)"), jobs.bucket(), TrainingJobName=name)
    detail = json.loads(workshop.messages(url)[0]["Body"])["detail"]
    assert (detail["TrainingJobStatus"], detail["SecondaryStatus"]) == ("Failed", "Failed")
    assert "exit code: 1" in detail["FailureReason"]
    assert detail["TrainingEndTime"] > 1_500_000_000_000


def test_a_job_can_be_told_to_fail(jobs):
    name = jobs.workshop.name("planned")
    jobs.cloud.faults.jobs.fail_job(name, "CapacityError: no capacity")
    image = jobs.image("pass")
    assert jobs.trained(jobs.train(image, jobs.bucket(), TrainingJobName=name))["FailureReason"].startswith("Capacity")
    assert jobs.trained(jobs.train(image, jobs.bucket()))["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"EnableManagedSpotTraining": True}, "Invalid MaxWaitTimeInSeconds"),
        ({"StoppingCondition": SPOT["StoppingCondition"]}, "Invalid MaxWaitTimeInSeconds"),
        ({"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}}, "CreateTrainingJob.VpcConfig"),
        (
            {
                "ResourceConfig": {
                    "InstanceType": "ml.m5.large",
                    "InstanceCount": 1,
                    "VolumeSizeInGB": 5,
                    "KeepAlivePeriodInSeconds": 60,
                }
            },
            "ResourceConfig.KeepAlivePeriodInSeconds",
        ),
        (
            {
                "InputDataConfig": [
                    {
                        "ChannelName": "train",
                        "DataSource": {
                            "FileSystemDataSource": {
                                "FileSystemId": "fs-12345678901",
                                "FileSystemAccessMode": "ro",
                                "FileSystemType": "FSxLustre",
                                "DirectoryPath": "/a",
                            }
                        },
                    }
                ]
            },
            "FileSystemDataSource",
        ),
        ({"HyperParameters": {"depth": "3"}, "RetryStrategy": {"MaximumRetryAttempts": 2}}, "RetryStrategy"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(jobs, part, message):
    with pytest.raises(ClientError, match=message):
        jobs.train("image:1", "bucket", **part)


def test_names_are_unique_and_jobs_are_listed(jobs):
    image, bucket = jobs.image("pass"), jobs.bucket()
    name = jobs.train(image, bucket)
    with pytest.raises(ClientError, match="ResourceInUse"):
        jobs.train(image, bucket, TrainingJobName=name)
    jobs.trained(name)
    listed = jobs.sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]
    assert [each["TrainingJobName"] for each in listed] == [name]
