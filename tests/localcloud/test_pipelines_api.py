"""Pipelines as resources: definitions that are refused, tokens, parameters, listing, deletion."""

import uuid

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.jobs import CLUSTER
from tests.localcloud.pipeline_definitions import condition_step, definition, equals, fail_step, get, lambda_step

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:none"
PASSING = definition(condition_step("Check", [equals(1, 1)]))
JOB = {"ProcessingResources": CLUSTER, "AppSpecification": {"ImageUri": "i"}, "RoleArn": "r"}


@pytest.fixture(scope="module")
def role(pipelines):
    return pipelines.role()


@pytest.fixture(scope="module")
def pipeline(pipelines, role):
    return pipelines.create(PASSING, role)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "It is not JSON"),
        (PASSING.replace("2020-12-01", "2019-01-01"), "Version must be '2020-12-01'"),
        (definition(), "one step or more"),
        (definition(fail_step("A", "x"), Extra=1), "unknown property 'Extra'"),
        (definition(fail_step("A", "x", Colour="red")), "unknown property 'Colour'"),
        (definition(fail_step("A", "x"), fail_step("A", "y")), "Step names must be unique, and A is not"),
        (definition(fail_step("A", "x", DependsOn=["B"])), "DependsOn of the step A names 'B'"),
        (definition(fail_step("A", get("Parameters.X"))), "the parameter 'X', which is not declared"),
        (definition(fail_step("A", get("Steps.B.Outcome"))), "'B' is no step"),
        (definition(fail_step("A", get("Execution.Weather"))), "Execution.Weather"),
        (
            definition(fail_step("A", "x", DependsOn=["B"]), fail_step("B", "x", DependsOn=["A"])),
            "Steps wait for one another",
        ),
        (definition(condition_step("A", [{"Type": "Like", "LeftValue": 1, "RightValue": 2}])), "of the type 'Like'"),
        (definition(condition_step("A", [{"Type": "Equals", "LeftValue": 1}])), "must have LeftValue, RightValue"),
        (
            definition({"Name": "A", "Type": "Processing", "Arguments": JOB, "RetryPolicies": [{"MaxAttempts": 1}]}),
            "no ExceptionType",
        ),
        (definition({"Name": "A", "Type": "Tuning"}), "NotSimulated.*pipeline step type 'Tuning'"),
        (definition(lambda_step("A", FUNCTION, CacheConfig={"Enabled": True})), "NotSimulated.*CacheConfig"),
        (
            definition({"Name": "A", "Type": "Processing", "Arguments": {**JOB, "ProcessingJobName": "x"}}),
            "NotSimulated.*ProcessingJobName",
        ),
    ],
    ids=lambda value: value[:40] if " " in value and len(value) < 60 else "",
)
def test_a_definition_that_cannot_be_run_is_refused_by_name(pipelines, role, text, message):
    with pytest.raises(ClientError, match=message):
        pipelines.create(text, role)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Colour": "red", "Word": "x"}, "not found in the pipeline definition: Colour"),
        ({}, "must be given: Word"),
        ({"Word": "x", "Count": "many"}, "'many' is no Integer, which the parameter Count is"),
        ({"Word": "x", "Flag": "yes"}, "'yes' is no Boolean"),
    ],
)
def test_parameters_are_held_against_the_definition(pipelines, role, given, message):
    text = definition(condition_step("C", [equals(1, 1)]), parameters={"Word": None, "Count": 1, "Flag": True})
    name = pipelines.create(text, role)
    with pytest.raises(ClientError, match=message):
        pipelines.start(name, given)


def test_a_request_that_comes_again_starts_nothing_again(pipelines, pipeline):
    token = str(uuid.uuid4())
    first = pipelines.start(pipeline, ClientRequestToken=token)
    assert pipelines.start(pipeline, ClientRequestToken=token) == first
    assert pipelines.start(pipeline) != first
    with pytest.raises(ClientError, match="has been used for another"):
        pipelines.start(pipeline, ClientRequestToken=token, PipelineExecutionDisplayName="other")


def test_creating_again_under_the_token_is_no_second_pipeline(pipelines, workshop, role):
    request = {
        "PipelineName": workshop.name("Twice"),
        "PipelineDefinition": PASSING,
        "RoleArn": role,
        "ClientRequestToken": str(uuid.uuid4()),
    }
    arn = pipelines.sagemaker.create_pipeline(**request)["PipelineArn"]
    assert pipelines.sagemaker.create_pipeline(**request)["PipelineArn"] == arn == arn.lower()
    with pytest.raises(ClientError, match="already exists"):
        pipelines.sagemaker.create_pipeline(**{**request, "ClientRequestToken": str(uuid.uuid4())})


def test_an_update_does_not_touch_what_has_begun(pipelines, role):
    name = pipelines.create(PASSING, role, PipelineDescription="one")
    execution = pipelines.start(name)
    other = definition(condition_step("Other", [equals(1, 2)]))
    pipelines.sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=other, PipelineDescription="two")
    described = pipelines.sagemaker.describe_pipeline(PipelineName=name)
    assert (described["PipelineDefinition"], described["PipelineDescription"]) == (other, "two")
    assert described["LastModifiedTime"] > described["CreationTime"]
    pipelines.ended(execution)
    assert set(pipelines.steps(execution)) == {"Check"}
    with pytest.raises(ClientError, match="Unable to parse"):
        pipelines.sagemaker.update_pipeline(PipelineName=name, PipelineDefinition="{")


def test_pipelines_and_executions_are_listed_and_deleted(pipelines, role, workshop):
    name = pipelines.create(PASSING, role, Tags=[{"Key": "a", "Value": "1"}])
    listed = pipelines.sagemaker.list_pipelines(PipelineNamePrefix=name)["PipelineSummaries"]
    assert [each["PipelineName"] for each in listed] == [name]
    assert pipelines.sagemaker.list_tags(ResourceArn=listed[0]["PipelineArn"])["Tags"] == [{"Key": "a", "Value": "1"}]
    executions = [pipelines.start(name) for _ in range(3)]
    for execution in executions:
        pipelines.ended(execution)
    pages = pipelines.sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=name, PaginationConfig={"PageSize": 2}
    )
    found = [each["PipelineExecutionArn"] for page in pages for each in page["PipelineExecutionSummaries"]]
    assert found == executions[::-1]
    pipelines.sagemaker.delete_pipeline(PipelineName=name)
    for call in (
        lambda: pipelines.sagemaker.describe_pipeline(PipelineName=name),
        lambda: pipelines.sagemaker.describe_pipeline_execution(PipelineExecutionArn=executions[0]),
    ):
        with pytest.raises(ClientError, match="ResourceNotFound"):
            call()


def test_a_definition_can_lie_in_s3(jobs, pipelines, role, workshop):
    bucket = jobs.bucket(**{"p.json": PASSING})
    place = {"Bucket": bucket, "ObjectKey": "p.json"}
    name = workshop.name("stored")
    pipelines.sagemaker.create_pipeline(PipelineName=name, PipelineDefinitionS3Location=place, RoleArn=role)
    assert pipelines.sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == PASSING


def test_operations_take_their_permissions(pipelines, pipeline, workshop, role):
    arn = pipelines.sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineArn"]
    starts = {"Effect": "Allow", "Action": "sagemaker:StartPipelineExecution", "Resource": arn}
    looks = {"Effect": "Allow", "Action": "sagemaker:DescribePipelineExecution", "Resource": f"{arn}/execution/*"}
    client = pipelines.jobs.cloud.role_client("sagemaker", workshop.role(starts, looks))
    execution = client.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"]
    client.describe_pipeline_execution(PipelineExecutionArn=execution)
    with pytest.raises(ClientError, match="sagemaker:StopPipelineExecution"):
        client.stop_pipeline_execution(PipelineExecutionArn=execution)
    creates = {"Effect": "Allow", "Action": "sagemaker:CreatePipeline", "Resource": "*"}
    creator = pipelines.jobs.cloud.role_client("sagemaker", workshop.role(creates))
    with pytest.raises(ClientError, match="iam:PassRole"):
        creator.create_pipeline(PipelineName="p", PipelineDefinition=PASSING, RoleArn=role)
    with pytest.raises(ClientError, match="Could not assume role"):
        pipelines.create(PASSING, workshop.role(creates))


def test_what_is_not_simulated_is_refused_by_name(pipelines, pipeline):
    with pytest.raises(ClientError, match=r"NotSimulated.*MlflowExperimentName"):
        pipelines.start(pipeline, MlflowExperimentName="x")
