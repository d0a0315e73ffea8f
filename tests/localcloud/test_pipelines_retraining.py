"""The committed retraining pipeline, run as it is: its real programs as jobs, and a function that is told."""

import json
import shutil

import pytest

from model_containers.training.pipeline import FILES
from tests.containers.training.jobs import CHAMPION, ROOT, Retraining, at, iso

ROWS = range(10_500, 13_500)
SINCE = 12_000
TELL = """
import json
def handler(event, context):
    print(json.dumps(event))
    return {}
"""
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/tidegate-training:1"


@pytest.fixture(scope="module")
def function(workshop):
    return workshop.function_arn(workshop.function(TELL))


@pytest.fixture(scope="module")
def bucket(jobs, tmp_path_factory):
    """Return a bucket with captures, labels, their manifests, and the champion."""
    folder = tmp_path_factory.mktemp("retraining")
    Retraining(folder, ROWS).put_data()
    inputs = folder / "Prepare/processing/input"
    bucket = jobs.bucket()
    for kind in ("captures", "labels"):
        files = sorted(path for path in (inputs / kind).rglob("*") if path.is_file())
        names = [path.relative_to(inputs / kind).as_posix() for path in files]
        for path, name in zip(files, names, strict=True):
            jobs.put(bucket, f"{kind}/{name}", path.read_text())
        jobs.put(bucket, f"{kind}.manifest", json.dumps([{"prefix": f"s3://{bucket}/{kind}/"}, *names]))
    jobs.put(bucket, "champion/baseline.json", (CHAMPION / "baseline.json").read_text())
    model = (CHAMPION / "model.tar.gz").read_bytes()
    jobs.cloud.client("s3").put_object(Bucket=bucket, Key="champion/model.tar.gz", Body=model)
    shutil.rmtree(folder)
    return bucket


def test_the_committed_pipeline_without_spot_is_accepted(pipelines):
    assert pipelines.create(FILES[False].read_text())


def test_the_committed_pipeline_trains_judges_and_decides(jobs, pipelines, function, bucket):
    jobs.cloud.images.register(IMAGE, ROOT, "model_containers/training/Dockerfile")
    output = "retraining/run-1"
    given = {
        "Endpoint": "rain-local",
        "RunId": "run-1",
        "Reason": "drift",
        "CapturesManifest": f"s3://{bucket}/captures.manifest",
        "LabelsManifest": f"s3://{bucket}/labels.manifest",
        "BaselineUri": f"s3://{bucket}/champion/baseline.json",
        "ChampionUri": f"s3://{bucket}/champion/model.tar.gz",
        "ChampionVersion": "2.0.0",
        "Since": iso(at(SINCE, ROWS.start)),
        "OutputUri": f"s3://{bucket}/{output}",
        "ImageUri": IMAGE,
        "JobRoleArn": jobs.role(),
        "RegisterFunctionArn": function,
        "MaxWaitSeconds": "3600",
    }
    status, steps = pipelines.run(FILES[True].read_text(), pipelines.role(function), **given)
    assert status == "Succeeded", steps
    assert {"Prepare", "Train", "Evaluate", "Checks", "Worthwhile"} < set(steps)
    evaluation = json.loads(jobs.get(bucket, f"{output}/evaluation/evaluation.json"))
    checks = json.loads(jobs.get(bucket, f"{output}/checks/checks.json"))
    worthwhile = evaluation["better"] and checks["passed"]
    assert steps["Worthwhile"]["Metadata"] == {"Condition": {"Outcome": str(worthwhile)}}
    assert ("Register" if worthwhile else "Keep") in steps
    job = steps["Train"]["Metadata"]["TrainingJob"]["Arn"].rsplit("/", 1)[-1]
    model = jobs.sagemaker.describe_training_job(TrainingJobName=job)["ModelArtifacts"]["S3ModelArtifacts"]
    assert jobs.keys(bucket, model.removeprefix(f"s3://{bucket}/"))
