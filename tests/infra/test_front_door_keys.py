"""Answers of batches can be asked for by key where that is asked for, and loaded by whom may do that and no more."""

import json
from fnmatch import fnmatchcase

import pytest

from lambdas.inference.batch.loading import Task
from lambdas.inference.batch.settings import Plan
from lambdas.inference.handlers.load import MARGIN_SECONDS
from tests.infra.front_doors import endpoint_of, functions, ids, listed, may, only, settings, variables

NAME = "rain-local"
MACHINE = f"tidegate-{NAME}-load"
RUN_FOLDER = f"batch/{NAME}/run=20270101-1234/"


@pytest.fixture
def template(opened):
    return opened.inference


def definition(template):
    return json.loads(only(template, "AWS::StepFunctions::StateMachine", "Endpointrain")["DefinitionString"])


def test_functions_are_told_for_how_long_answers_are_kept(template):
    for handler in ("predict", "batch", "load"):
        assert settings(template, "rain", handler).batch.serve_days == 12


def test_the_batch_function_starts_the_machine_it_is_told_of(template):
    told = variables(template, "rain", "batch")["TIDEGATE_LOAD_MACHINE"]
    assert told.endswith(f":stateMachine:{MACHINE}")
    allowed = may(template, "EndpointrainBatchesRunRole")
    assert template.text(allowed["LoadAnswers"])["Resource"].endswith(f":stateMachine:{MACHINE}")
    assert set(listed(allowed["FollowLoading"]["Action"])) == {"states:DescribeExecution", "states:StopExecution"}
    assert template.text(allowed["FollowLoading"])["Resource"].endswith(f":execution:{MACHINE}:*")
    assert allowed["KeepSignatures"]["Condition"] == leading("SIGNATURE")


def leading(kind):
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{kind}#{NAME}#*"]}}


def test_the_machine_loads_each_file_until_it_is_done(template):
    states = definition(template)["States"]["LoadFiles"]["ItemProcessor"]["States"]
    assert states["Load"]["Next"] == "IsLoaded"
    assert states["IsLoaded"]["Choices"] == [{"Variable": "$.done", "BooleanEquals": True, "Next": "Loaded"}]
    assert states["IsLoaded"]["Default"] == "Load"
    assert hasattr(Task("", "", "", 0, "", 0.0, "", "", "", ()), "done")
    (function,) = [name for handler, (name, _) in functions(template, "rain").items() if handler == "load"]
    assert states["Load"]["Parameters"] == {"FunctionName": f"<{function}.Arn>", "Payload.$": "$"}


def test_the_function_reads_answers_writes_what_it_found_and_keeps_what_is_of_its_endpoint(template):
    allowed = may(template, "EndpointrainBatchesLoadingLoadRole")
    assert set(allowed) == {"WriteLog", "ReadAnswers", "WriteResults", "UseArtefactKey", "KeepAnswers", "UseKey"}
    plan = Plan(NAME, "a-bucket", settings(template, "rain", "load").batch)
    run = "20270101-1234"
    for sid, action, ours, others in (
        ("ReadAnswers", "s3:GetObject", f"{plan.output_folder(run)}a/b.csv.out", f"{plan.run_folder(run)}inputs.json"),
        (
            "WriteResults",
            "s3:PutObject",
            f"{plan.load_folder(run)}000001/0.json",
            f"{plan.output_folder(run)}b.csv.out",
        ),
    ):
        assert allowed[sid]["Action"] == action
        pattern = template.text(allowed[sid])["Resource"].partition("/")[2]
        assert fnmatchcase(ours, pattern)
        assert not fnmatchcase(others, pattern)
    assert allowed["KeepAnswers"]["Action"] == "dynamodb:PutItem"
    assert allowed["KeepAnswers"]["Condition"] == leading("PREDICTION")


def test_the_function_that_answers_may_find_answers_and_change_none(template):
    found = may(template, "EndpointrainPredictControlRole")["FindBatchAnswers"]
    assert (found["Action"], found["Condition"]) == ("dynamodb:GetItem", leading("PREDICTION"))


def test_the_machine_reads_lists_and_calls_one_function(template):
    allowed = may(template, "EndpointrainBatchesLoadingRole")
    pattern = template.text(allowed["ReadLists"])["Resource"].partition("/")[2]
    assert fnmatchcase(f"{RUN_FOLDER}loads/1.json", pattern)
    assert not fnmatchcase(f"{RUN_FOLDER}part=0/a.csv.out", pattern)
    assert listed(allowed["Load"]["Action"]) == ["lambda:InvokeFunction"]
    machine = only(template, "AWS::StepFunctions::StateMachine", "Endpointrain")
    assert machine["StateMachineName"] == MACHINE
    assert machine["EncryptionConfiguration"]["Type"] == "CUSTOMER_MANAGED_KMS_KEY"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False


def test_there_is_time_for_more_than_a_block(template):
    assert functions(template, "rain")["load"][1]["Timeout"] > 4 * MARGIN_SECONDS


def test_files_of_batches_expire_as_the_file_says(opened, local):
    for synthesised in (opened, local):
        _, door = endpoint_of(synthesised, "rain")
        buckets = ids(synthesised.registry, "AWS::S3::Bucket", "Artefacts").values()
        (rule,) = [
            rule
            for bucket in buckets
            for rule in bucket["LifecycleConfiguration"]["Rules"]
            if rule.get("Prefix") == f"batch/{NAME}/" and "ExpirationInDays" in rule
        ]
        assert rule["ExpirationInDays"] == door.batch.keep_days


def test_where_nobody_asks_by_key_there_is_nothing_of_it(prod):
    assert "load" not in functions(prod.inference, "rain")
    assert not ids(prod.inference, "AWS::StepFunctions::StateMachine")
    paths = {each["PathPart"] for each in ids(prod.inference, "AWS::ApiGateway::Resource").values()}
    assert "{key}" not in paths
    assert "FindBatchAnswers" not in may(prod.inference, "EndpointrainPredictControlRole")
