"""Executions of pipelines: order, references, branches, failures, and who is told."""

import io
import json
import tarfile

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.jobs import source
from tests.localcloud.pipeline_definitions import (
    condition_step,
    definition,
    equals,
    fail_step,
    get,
    join,
    json_get,
    lambda_step,
    processing_step,
)

PREPARE = """
(root / "processing/out/rows.csv").write_text(sys.argv[1])
(root / "processing/out/report.json").write_text(json.dumps({"rows": {"good": 3}, "better": True}))
"""
LEARN = """
rows = (root / "input/data/train/rows.csv").read_text()
depth = json.loads((root / "input/config/hyperparameters.json").read_text())["depth"]
(root / "model/model.txt").write_text(f"{rows} at {depth}")
"""
ECHO = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError(event["fail"])
    return {"decision": "kept", "seen": str(sorted(event.items()))}
"""
SLOW = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\ntime.sleep(60)"


@pytest.fixture(scope="module")
def preparing(jobs):
    return jobs.image(PREPARE)


@pytest.fixture(scope="module")
def echo(workshop):
    return workshop.function_arn(workshop.function(ECHO))


@pytest.fixture(scope="module")
def role(pipelines, echo):
    return pipelines.role(echo)


@pytest.fixture(scope="module")
def job_role(jobs):
    return jobs.role()


def test_a_pipeline_prepares_trains_decides_and_tells(jobs, pipelines, preparing, echo, role, job_role):
    bucket = jobs.bucket()
    prepare = processing_step(
        "Prepare",
        preparing,
        get("Parameters.JobRole"),
        bucket,
        Arguments={"AppSpecification": {"ImageUri": preparing, "ContainerArguments": [get("Parameters.Text")]}},
        PropertyFiles=[{"PropertyFileName": "Report", "OutputName": "out", "FilePath": "report.json"}],
    )
    channel = {
        "ChannelName": "train",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": get("Steps.Prepare.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"),
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }
    train = {
        "Name": "Train",
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": jobs.image(LEARN), "TrainingInputMode": "File"},
            "HyperParameters": {"depth": join(get("Parameters.Depth"), on="")},
            "InputDataConfig": [channel],
            "OutputDataConfig": {"S3OutputPath": join(f"s3://{bucket}", get("Execution.PipelineExecutionId"))},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": get("Parameters.Seconds")},
            "RoleArn": job_role,
        },
    }
    conditions = [
        equals(json_get("Prepare", "Report", "better"), True),
        {"Type": "GreaterThanOrEqualTo", "LeftValue": json_get("Prepare", "Report", "rows.good"), "RightValue": 3},
    ]
    model = get("Steps.Train.ModelArtifacts.S3ModelArtifacts")
    register = lambda_step("Register", echo, {"model": model, "decision": "register"}, "decision", "seen")
    worth = condition_step("Worthwhile", conditions, [register], [lambda_step("Keep", echo)])
    text = definition(prepare, train, worth, parameters={"Text": None, "Depth": 2, "Seconds": 60, "JobRole": job_role})
    execution = pipelines.start(pipelines.create(text, role), {"Text": "hello", "Depth": "4"})
    found = pipelines.ended(execution)
    steps = pipelines.steps(execution)
    assert found["PipelineExecutionStatus"] == "Succeeded", steps
    assert list(steps) == ["Register", "Worthwhile", "Train", "Prepare"]
    identifier = execution.rsplit("/", 1)[-1]
    job = steps["Train"]["Metadata"]["TrainingJob"]["Arn"].rsplit("/", 1)[-1]
    assert job.startswith(f"pipelines-{identifier}-train-")
    assert steps["Worthwhile"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    outputs = {each["Name"]: each["Value"] for each in steps["Register"]["Metadata"]["Lambda"]["OutputParameters"]}
    [archive] = [key for key in jobs.keys(bucket, identifier) if key.endswith("model.tar.gz")]
    assert outputs["decision"] == "kept"
    assert f"s3://{bucket}/{archive}" in outputs["seen"]
    with tarfile.open(fileobj=io.BytesIO(jobs.get(bucket, archive))) as tar:
        assert tar.extractfile("model.txt").read() == b"hello at 4"
    given = pipelines.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution)
    assert {"Name": "Depth", "Value": "4"} in given["PipelineParameters"]
    assert (
        pipelines.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=execution)[
            "PipelineDefinition"
        ]
        == text
    )


def test_independent_steps_run_at_the_same_time(jobs, pipelines, role, job_role):
    bucket = jobs.bucket()
    # Each waits for what the other writes.
    image = jobs.image("""
        import boto3
        s3, (bucket, mine, other) = boto3.client("s3"), sys.argv[1:]
        s3.put_object(Bucket=bucket, Key=mine, Body=b"")
        while other not in [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]:
            time.sleep(0.05)
    """)

    def step(name, other):
        asked = {"ImageUri": image, "ContainerArguments": [bucket, name, other]}
        return processing_step(name, image, job_role, Arguments={"AppSpecification": asked})

    status, steps = pipelines.run(definition(step("A", "B"), step("B", "A")), role)
    assert status == "Succeeded", steps


def test_a_failed_step_fails_the_execution_and_what_waits_for_it_never_runs(jobs, pipelines, echo, role, job_role):
    image = jobs.image("sys.exit(2)")
    first = processing_step("Prepare", image, job_role)
    after = lambda_step("After", echo, DependsOn=["Prepare"])
    execution = pipelines.start(pipelines.create(definition(first, after), role))
    found = pipelines.ended(execution)
    assert found["PipelineExecutionStatus"] == "Failed"
    assert found["FailureReason"] == "Step failure: One or multiple steps failed."
    steps = pipelines.steps(execution)
    assert set(steps) == {"Prepare"}
    assert "exit code: 2" in steps["Prepare"]["FailureReason"]


def test_a_fail_step_says_why(pipelines, role):
    worth = condition_step(
        "Check",
        [equals(get("Parameters.Word"), "good")],
        else_steps=[fail_step("Bad", join("the word is ", get("Parameters.Word"), on=""))],
    )
    text = definition(worth, parameters={"Word": None})
    assert pipelines.run(text, role, Word="good")[0] == "Succeeded"
    status, steps = pipelines.run(text, role, Word="bad")
    assert (status, steps["Bad"]["FailureReason"]) == ("Failed", "the word is bad")
    assert steps["Bad"]["Metadata"] == {"Fail": {"ErrorMessage": "the word is bad"}}


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        (equals(get("Parameters.Count"), 3), True),
        (equals(get("Parameters.Flag"), 1), False),
        ({"Type": "GreaterThan", "LeftValue": get("Parameters.Count"), "RightValue": 3}, False),
        ({"Type": "GreaterThanOrEqualTo", "LeftValue": get("Parameters.Count"), "RightValue": 3.0}, True),
        ({"Type": "LessThan", "LeftValue": "a", "RightValue": "b"}, True),
        ({"Type": "LessThanOrEqualTo", "LeftValue": 4, "RightValue": get("Parameters.Count")}, False),
        ({"Type": "In", "QueryValue": get("Parameters.Word"), "Values": ["x", "y"]}, True),
        ({"Type": "Not", "Condition": equals(1, 1)}, False),
        ({"Type": "Or", "Conditions": [equals(1, 2), equals("a", "a")]}, True),
        ({"Type": "And", "Conditions": [equals(1, 2), equals("a", "a")]}, False),
    ],
    ids=lambda value: value["Type"] if isinstance(value, dict) else "",
)
def test_conditions(pipelines, role, condition, outcome):
    text = definition(condition_step("Check", [condition]), parameters={"Count": 3, "Flag": True, "Word": "x"})
    _, steps = pipelines.run(text, role)
    assert steps["Check"]["Metadata"] == {"Condition": {"Outcome": str(outcome)}}


def test_a_condition_that_cannot_be_judged_fails_its_step(pipelines, role):
    bad = {"Type": "GreaterThan", "LeftValue": "a", "RightValue": 1}
    status, steps = pipelines.run(definition(condition_step("Check", [bad])), role)
    assert status == "Failed"
    assert steps["Check"]["FailureReason"] == "ClientError: GreaterThan cannot compare 'a' with 1"


def test_what_depends_on_a_condition_runs_after_the_branch_that_was_taken(pipelines, echo, role):
    inner = condition_step("Inner", [equals(1, 2)], [lambda_step("Never", echo)], [lambda_step("Taken", echo)])
    outer = condition_step("Outer", [equals(1, 1)], [inner], [lambda_step("Other", echo)])
    status, steps = pipelines.run(definition(lambda_step("Last", echo, DependsOn=["Outer"]), outer), role)
    assert status == "Succeeded"
    assert list(steps) == ["Last", "Taken", "Inner", "Outer"]
    assert steps["Taken"]["EndTime"] <= steps["Last"]["StartTime"]


def test_a_functions_outputs_and_errors(pipelines, echo, role):
    first = lambda_step("First", echo, {"n": 1}, "decision")
    second = lambda_step("Second", echo, {"was": get("Steps.First.OutputParameters['decision']")}, "seen")
    _, steps = pipelines.run(definition(second, first), role)
    [seen] = steps["Second"]["Metadata"]["Lambda"]["OutputParameters"]
    assert seen == {"Name": "seen", "Value": "[('was', 'kept')]"}
    _, steps = pipelines.run(definition(lambda_step("Only", echo, {"fail": "no luck"})), role)
    assert "ValueError: no luck" in steps["Only"]["FailureReason"]
    _, steps = pipelines.run(definition(lambda_step("Only", echo, {}, "missing")), role)
    assert "lacks the output parameter 'missing'" in steps["Only"]["FailureReason"]


def test_steps_act_under_the_pipelines_role(jobs, pipelines, echo, preparing, job_role):
    without = pipelines.role()
    _, steps = pipelines.run(definition(lambda_step("Tell", echo)), without)
    assert "is not authorized to perform: lambda:InvokeFunction" in steps["Tell"]["FailureReason"]
    creates = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
    _, steps = pipelines.run(definition(processing_step("P", preparing, job_role)), jobs.role(creates))
    assert "is not authorized to perform: iam:PassRole" in steps["P"]["FailureReason"]


def test_a_failed_job_is_tried_again_as_its_policy_says(jobs, pipelines, role, job_role):
    policy = {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "IntervalSeconds": 0, "MaxAttempts": 1}
    image = jobs.image("pass")
    text = definition(processing_step("Scarce", image, job_role, RetryPolicies=[policy]))
    jobs.cloud.faults.jobs.fail_job("-Scarce-", "CapacityError: none left")
    status, steps = pipelines.run(text, role)
    assert (status, steps["Scarce"]["AttemptCount"]) == ("Succeeded", 2)
    for _ in range(2):
        jobs.cloud.faults.jobs.fail_job("-Scarce-", "CapacityError: none left")
    status, steps = pipelines.run(text, role)
    assert (status, steps["Scarce"]["FailureReason"]) == ("Failed", "CapacityError: none left")


def test_stopping_stops_jobs_and_starts_nothing_more(jobs, pipelines, echo, role, job_role, wait_until):
    slow = processing_step("Slow", jobs.image(SLOW), job_role)
    text = definition(slow, lambda_step("After", echo, DependsOn=["Slow"]))
    execution = pipelines.start(pipelines.create(text, role))
    wait_until(lambda: pipelines.steps(execution).get("Slow", {}).get("StepStatus") == "Executing")
    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    assert pipelines.ended(execution)["PipelineExecutionStatus"] == "Stopped"
    steps = pipelines.steps(execution)
    assert {name: step["StepStatus"] for name, step in steps.items()} == {"Slow": "Stopped"}
    job = steps["Slow"]["Metadata"]["ProcessingJob"]["Arn"].rsplit("/", 1)[-1]
    assert jobs.sagemaker.describe_processing_job(ProcessingJobName=job)["ProcessingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="ConflictException"):
        pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)


def test_every_change_is_told_to_the_bus(pipelines, workshop, role):
    url, arn = workshop.queue()
    name = pipelines.create(definition(fail_step("No", "why")), role)
    pipeline = pipelines.sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"]
    pattern = {"source": ["aws.sagemaker"], "detail": {"pipelineArn": [pipeline]}}
    workshop.allow(url, arn, "events.amazonaws.com", workshop.rule(pattern, arn))
    execution = pipelines.start(name, PipelineExecutionDisplayName="first")
    events = [json.loads(message["Body"]) for message in workshop.messages(url, count=5)]
    assert all(event["resources"] == [pipeline, execution] for event in events)
    told = {
        event["detail"].get("currentPipelineExecutionStatus"): event["detail"]
        for event in events
        if event["detail-type"] == "SageMaker Model Building Pipeline Execution Status Change"
    }
    assert set(told) == {"Executing", "Failed"}
    assert told["Failed"]["previousPipelineExecutionStatus"] == "Executing"
    assert told["Failed"]["pipelineExecutionArn"] == execution
    assert told["Failed"]["pipelineExecutionDisplayName"] == "first"
    assert told["Failed"]["executionEndTime"].endswith("Z")
    [failed] = [event["detail"] for event in events if event["detail"].get("currentStepStatus") == "Failed"]
    assert (failed["stepName"], failed["stepType"], failed["failureReason"]) == ("No", "Fail", "why")
    assert (failed["metadata"], failed["previousStepStatus"]) == ({"fail": {"errorMessage": "why"}}, "Executing")


def test_manifests_and_inputs_come_from_parameters(jobs, pipelines, role, job_role):
    bucket = jobs.bucket(**{"raw/a.txt": "a"})
    jobs.put(bucket, "list", json.dumps([{"prefix": f"s3://{bucket}/raw/"}, "a.txt"]))
    image = jobs.image('(root / "processing/out/copy").write_text((root / "processing/in/a.txt").read_text())')
    given = source("in", "", "ManifestFile")
    given["S3Input"]["S3Uri"] = get("Parameters.Manifest")
    step = processing_step("Copy", image, job_role, bucket, Arguments={"ProcessingInputs": [given]})
    text = definition(step, parameters={"Manifest": None})
    status, steps = pipelines.run(text, role, Manifest=f"s3://{bucket}/list")
    assert status == "Succeeded", steps
    assert jobs.get(bucket, "copy/copy") == b"a"
