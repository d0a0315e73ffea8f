"""Batches are run by whom may say so, on an endpoint's own folders, and one that fails is told."""

import json
from fnmatch import fnmatchcase

import pytest

from lambdas import contract
from lambdas.inference.batch.events import read_event
from lambdas.inference.batch.said import Wanted
from lambdas.inference.batch.settings import Plan
from stacks.config.lengths import execution_role_name
from tests.infra.front_doors import endpoint_of, functions, ids, listed, may, only, settings

WITH_BATCHES = ["local", "opened"]
NAME = "rain-local"


@pytest.fixture(params=WITH_BATCHES)
def case(request, doors):
    """A template and a front door that runs batches."""
    return doors[request.param].inference, endpoint_of(doors[request.param], "rain")[1]


def plan(template):
    return Plan(NAME, "a-bucket", settings(template, "rain", "batch").batch)


def rules(template):
    beginning = "EndpointrainBatches"
    found = ids(template, "AWS::Events::Rule", beginning).items()
    return {name.removeprefix(beginning).partition("Rule")[0]: template.text(rule) for name, rule in found}


def queue(template):
    """Return the logical id and the properties of the queue of orders."""
    ((name, properties),) = ids(template, "AWS::SQS::Queue", "EndpointrainBatchesOrdersQueue").items()
    return name, template.text(properties)


def test_it_runs_them_as_the_file_says(case):
    template, door = case
    batch, said = plan(template).batch, door.batch
    assert (batch.instance_type, batch.instances) == (said.instance_type, said.instances)
    assert (batch.content_type, batch.accept) == (said.content_type, said.accept)
    assert (batch.payload_megabytes, batch.concurrent) == (said.payload_megabytes, said.concurrent)
    assert batch.attempts == said.attempts
    assert batch.input == f"batch-input/{NAME}/"


def test_what_tells_it_comes_through_a_queue_and_sweeps_come_at_once(case):
    template, door = case
    found = rules(template)
    scheduled = {"Schedule"} if door.batch.schedule_hours else set()
    assert set(found) == {"Commands", "JobStates", "Sweeps", *scheduled}
    orders, _ = queue(template)
    for name, rule in found.items():
        (target,) = rule["Targets"]
        function = functions(template, "rain")["batch"][0]
        assert target["Arn"] == (f"<{function}.Arn>" if name == "Sweeps" else f"<{orders}.Arn>"), name
        assert target["DeadLetterConfig"]["Arn"].startswith("<LostEventsQueue"), name
        assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0, name
    assert found["Sweeps"]["ScheduleExpression"] == "rate(1 minute)"


def test_only_these_rules_send_orders(case):
    template, _ = case
    orders, _ = queue(template)
    (policy,) = [
        each["PolicyDocument"]
        for each in map(template.text, ids(template, "AWS::SQS::QueuePolicy", "EndpointrainBatches").values())
        if each["Queues"] == [f"<{orders}>"]
    ]
    sources = {
        each["Condition"]["ArnEquals"]["aws:SourceArn"] for each in policy["Statement"] if each["Effect"] == "Allow"
    }
    sending = [name for name in ids(template, "AWS::Events::Rule", "EndpointrainBatches") if "Sweeps" not in name]
    assert sources == {f"<{name}.Arn>" for name in sending}


def test_commands_are_this_accounts_and_this_endpoints(case):
    template, _ = case
    assert rules(template)["Commands"]["EventPattern"] == {
        "account": ["123456789012"],
        "source": ["tidegate.operator"],
        "detail-type": ["Tidegate Batch Command"],
        "detail": {"endpoint": [NAME]},
    }


def test_states_of_its_own_jobs_are_looked_at(case):
    template, _ = case
    pattern = rules(template)["JobStates"]["EventPattern"]
    (prefix,) = pattern["detail"]["TransformJobName"]
    job = plan(template).job("a-run", 1)
    assert job.startswith(prefix["prefix"])
    assert not contract.batch_job_prefix(f"x{NAME}").startswith(prefix["prefix"])
    (statement,) = [each for sid, each in may(template, "EndpointrainBatchesRunRole").items() if sid == "RunJobs"]
    assert fnmatchcase(f"transform-job/{job}", statement["Resource"].rpartition(":")[2])


def test_a_schedule_names_its_occasion(opened):
    """The same event may come twice: it carries an id by which the second is known."""
    rule = rules(opened.inference)["Schedule"]
    assert rule["ScheduleExpression"] == "rate(24 hours)"
    transformer = rule["Targets"][0]["InputTransformer"]
    assert transformer["InputPathsMap"] == {"id": "$.id", "time": "$.time"}
    said = transformer["InputTemplate"].replace("<id>", '"an-id"').replace("<time>", '"2026-01-01T00:00:00Z"')
    wanted = read_event(json.loads(said), plan(opened.inference), 0.0)
    assert isinstance(wanted, Wanted)
    assert (wanted.wish.id, wanted.wish.input) == ("an-id", f"s3://a-bucket/batch-input/{NAME}/")


def test_without_a_schedule_operators_start_them(local):
    assert "Schedule" not in rules(local.inference)


def test_orders_are_hidden_while_they_are_carried_out_and_kept_when_they_fail(case):
    template, _ = case
    _, properties = queue(template)
    assert properties["VisibilityTimeout"] >= 6 * functions(template, "rain")["batch"][1]["Timeout"]
    assert properties["RedrivePolicy"]["deadLetterTargetArn"].startswith("<EndpointrainBatchesOrdersDeadLetters")
    assert only(template, "AWS::CloudWatch::Alarm", "EndpointrainBatchesOrdersDead")["AlarmActions"]
    mapping = only(template, "AWS::Lambda::EventSourceMapping", "EndpointrainBatches")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_it_reads_and_writes_below_its_endpoints_own_folder(case):
    template, _ = case
    allowed, own = may(template, "EndpointrainBatchesRunRole"), plan(template)
    read, written = allowed["ReadObjects"], allowed["WriteObjects"]
    assert (read["Action"], written["Action"]) == ("s3:GetObject", "s3:PutObject")
    folder = written["Resource"].partition("/")[2]
    assert folder == f"batch/{NAME}/*"
    assert fnmatchcase(f"{own.run_folder('a-run')}inputs.json", folder)
    # Of its models it must know whether they are what was signed.
    assert sorted(each.partition("/")[2] for each in read["Resource"]) == [folder, f"{NAME}/*"]
    found = allowed["FindObjects"]["Condition"]["StringLikeIfExists"]["s3:prefix"]
    assert found == [f"{NAME}/*", f"batch/{NAME}/*", f"batch-input/{NAME}/*"]
    assert any(fnmatchcase(own.batch.input, pattern) for pattern in found)


def test_its_items_are_its_endpoints(case):
    template, _ = case
    keeps = may(template, "EndpointrainBatchesRunRole")["KeepRuns"]
    assert keeps["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [f"BATCH#{NAME}"]}}
    assert set(listed(keeps["Action"])) == {"dynamodb:GetItem", "dynamodb:PutItem"}


def test_models_of_runs_are_its_own_and_get_no_role_but_the_endpoints(case):
    template, _ = case
    allowed = may(template, "EndpointrainBatchesRunRole")
    own, passed = allowed["MakeModels"], allowed["PassExecutionRoles"]
    assert set(listed(own["Action"])) == {"sagemaker:CreateModel", "sagemaker:DeleteModel"}
    pattern = own["Resource"].rpartition(":")[2]
    assert fnmatchcase(f"model/{plan(template).model('a-run')}", pattern)
    assert not fnmatchcase(f"model/{NAME}-1-abc", pattern), "the rollout engine's"
    region = own["Resource"].split(":")[3]
    assert passed["Resource"].endswith(f":role/{execution_role_name(NAME, region)}")
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert {sid for sid, each in allowed.items() if "iam:PassRole" in listed(each["Action"])} == {"PassExecutionRoles"}


def test_a_fault_is_an_alarm_at_once(case):
    template, _ = case
    alarm = only(template, "AWS::CloudWatch::Alarm", "EndpointrainBatchesFaults")
    _, series = alarm["Metrics"]
    dimensions = {each["Name"]: each["Value"] for each in series["MetricStat"]["Metric"]["Dimensions"]}
    told = functions(template, "rain")["batch"][1]["Environment"]["Variables"]
    assert dimensions == {
        contract.METRIC_DIMENSION: "local",
        contract.METRIC_FUNCTION_DIMENSION: told["POWERTOOLS_SERVICE_NAME"],
    }
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)
    assert alarm["AlarmActions"]


def test_where_no_batches_are_asked_for_nothing_runs_them(prod, opened):
    assert not ids(prod.inference, "AWS::Events::Rule", "EndpointrainBatches")
    assert not ids(opened.inference, "AWS::SQS::Queue", "Endpointsnow")
