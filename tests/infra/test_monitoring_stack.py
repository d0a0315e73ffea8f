"""The drift monitor runs for the endpoints that ask for it, may do what it does, and its silence is noticed."""

import json
from dataclasses import replace

import pytest

from lambdas import contract
from lambdas.monitoring.jobs import job_name
from lambdas.monitoring.settings import Settings
from lambdas.monitoring.windows import Window

BUCKET = "arn:aws:s3:::tidegate-loop-artefacts-123456789012-us-east-1"
SAGEMAKER = "arn:aws:sagemaker:us-east-1:123456789012"
FOLDERS = [f"{folder}/rain-loop/*" for folder in ("capture", "labels", "monitoring")]


def listed(value):
    return value if isinstance(value, list) else [value]


def may(template, role):
    """Return a role's statements by their names."""
    return {one["Sid"]: one for one in template.statements(role)}


def one(template, kind, beginning):
    (found,) = [each["Properties"] for name, each in template.of_type(kind).items() if name.startswith(beginning)]
    return template.text(found)


def settings_in(template):
    return one(template, "AWS::SSM::Parameter", "Endpointrain")


def test_there_is_nothing_of_it_without_an_endpoint_that_asks(synthesised):
    assert set(synthesised["local"].templates) == {"Registry", "Rollout", "Serving-rain", "Inference"}


def test_the_monitor_reads_what_the_template_renders(synthesised):
    for name in ("dev", "staging", "prod", "loop"):
        environment, template = synthesised[name].environment, synthesised[name].monitoring
        (endpoint,) = environment.monitored
        parameter = settings_in(template)
        assert parameter["Name"] == contract.monitoring_parameter(name, f"rain-{name}")
        read = Settings.from_json(parameter["Value"])
        assert read.endpoint == f"rain-{name}"
        assert read.window_seconds == endpoint.monitoring.window_minutes * 60
        assert read.bootstrap_version == endpoint.bootstrap.version
        assert read.outputs is not None
        assert (read.outputs.probability, read.outputs.prediction) == ("probability", "rain")
        assert read.floors == {"moderate": 0.02, "severe": 0.1}


def test_settings_name_the_bucket_the_image_and_the_role(loop):
    read = Settings.from_json(settings_in(loop.monitoring)["Value"])
    assert f"arn:aws:s3:::{read.bucket}" == BUCKET
    assert read.job is not None
    assert read.job.image.startswith("123456789012.dkr.ecr.us-east-1.amazonaws.com/cdk-hnb659fds-container-assets-")
    assert read.job.role.startswith("<EndpointrainJobRole")


def test_the_baseline_of_the_bootstrap_model_is_an_asset_that_may_be_read(loop):
    read = Settings.from_json(settings_in(loop.monitoring)["Value"])
    assert read.bootstrap_baseline is not None
    path = read.bootstrap_baseline.removeprefix("s3://")
    assert path.endswith(".json")
    for role in ("MonitorRole", "EndpointrainJobRole"):
        assert may(loop.monitoring, role)["ReadBaselines"]["Resource"] == f"arn:aws:s3:::{path}"


def test_a_model_whose_folder_has_no_baseline_has_none(synthesise_changed):
    def without(environment):
        (rain,) = environment.endpoints
        bootstrap = replace(rain.bootstrap, folder="model_containers/serving/sbom")
        return replace(environment, endpoints=(replace(rain, bootstrap=bootstrap),))

    template = synthesise_changed("loop", without).monitoring
    assert Settings.from_json(settings_in(template)["Value"]).bootstrap_baseline is None
    assert "ReadBaselines" not in may(template, "MonitorRole")


def test_each_endpoint_is_looked_at_on_a_schedule_of_its_own(synthesise_changed):
    def two(environment):
        (rain,) = environment.endpoints
        snow = replace(rain, name="snow", monitoring=replace(rain.monitoring, window_minutes=60))
        return replace(environment, endpoints=(rain, snow))

    template = synthesise_changed("loop", two).monitoring
    schedules = {}
    for rule in template.of_type("AWS::Events::Rule").values():
        (target,) = template.text(rule["Properties"]["Targets"])
        assert target["Arn"].startswith("<MonitorFunction")
        assert target["DeadLetterConfig"]["Arn"].startswith("<LostRunsQueue")
        schedules[target["Input"]] = rule["Properties"]["ScheduleExpression"]
    assert schedules == {
        '{"endpoint": "rain-loop"}': "rate(1 minute)",
        '{"endpoint": "snow-loop"}': "rate(15 minutes)",
    }
    assert len(template.of_type("AWS::Lambda::Function")) == 2  # the monitor, and what merges parts


def test_a_run_may_take_five_minutes_and_is_kept_when_it_fails(loop):
    function = one(loop.monitoring, "AWS::Lambda::Function", "MonitorFunction")
    assert (function["Timeout"], function["MemorySize"]) == (300, 1024)
    assert function["Handler"] == "lambdas.monitoring.handlers.monitor.handler"
    assert function["DeadLetterConfig"]["TargetArn"].startswith("<LostRunsQueue")
    variables = function["Environment"]["Variables"]
    assert variables[contract.ENV_TABLE] == contract.table_name("loop")
    assert variables[contract.ENV_MONITORING_TABLE].startswith("<Table")
    assert f"arn:aws:s3:::{variables[contract.ENV_ARTEFACT_BUCKET]}" == BUCKET


def test_the_table_bears_the_name_that_others_read_it_by(loop):
    assert loop.monitoring.one("AWS::DynamoDB::Table")["TableName"] == contract.monitoring_table("loop")


ACTIONS = {
    "cloudwatch:PutMetricData",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "events:PutEvents",
    "iam:PassRole",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "sagemaker:AddTags",
    "sagemaker:CreateProcessingJob",
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribeProcessingJob",
    "sqs:SendMessage",
    "ssm:GetParameter",
    "states:DescribeExecution",
    "states:ListExecutions",
    "states:ListMapRuns",
    "states:StartExecution",
}


def test_the_monitor_has_exactly_its_actions(loop):
    allowed = [action for each in loop.monitoring.statements("MonitorRole") for action in listed(each["Action"])]
    assert set(allowed) == ACTIONS


def test_it_writes_reports_and_reads_what_they_are_about(loop):
    statements = may(loop.monitoring, "MonitorRole")
    assert statements["WriteObjects"]["Resource"] == f"{BUCKET}/monitoring/rain-loop/*"
    assert statements["ReadObjects"]["Resource"] == [*(f"{BUCKET}/{path}" for path in FOLDERS), f"{BUCKET}/rain-loop/*"]
    assert statements["FindObjects"]["Resource"] == BUCKET
    assert statements["FindObjects"]["Condition"] == {"StringLikeIfExists": {"s3:prefix": [*FOLDERS, "rain-loop/*"]}}


@pytest.mark.parametrize(
    ("statement", "resource", "condition"),
    [
        ("PutMetrics", "*", {"StringEquals": {"cloudwatch:namespace": "Tidegate"}}),
        (
            "PutEvents",
            "arn:aws:events:us-east-1:123456789012:event-bus/default",
            {"StringEquals": {"events:source": "tidegate.monitoring"}},
        ),
        (
            "ReadRollouts",
            "arn:aws:dynamodb:us-east-1:123456789012:table/tidegate-loop-rollouts",
            {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ENDPOINT#rain-loop"]}},
        ),
        (
            "UnsealRollouts",
            "arn:aws:kms:us-east-1:123456789012:key/*",
            {
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/tidegate-loop-rollout"},
                "StringEquals": {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"},
            },
        ),
        ("ReadPackages", f"{SAGEMAKER}:model-package/rain-loop/*", None),
        (
            "ReadSettings",
            "arn:aws:ssm:us-east-1:123456789012:parameter/tidegate/loop/monitoring/rain-loop",
            None,
        ),
    ],
)
def test_what_belongs_to_others_is_touched_as_narrowly_as_can_be(loop, statement, resource, condition):
    found = may(loop.monitoring, "MonitorRole")[statement]
    assert (found["Resource"], found.get("Condition")) == (resource, condition)


def test_the_keys_are_those_of_the_other_stacks(loop):
    made = {
        alias["Properties"]["AliasName"]
        for template in (loop.registry, loop.rollout)
        for alias in template.of_type("AWS::KMS::Alias").values()
    }
    assert made == {f"alias/tidegate-loop-{name}" for name in ("registry", "signing", "rollout")}


def test_jobs_bear_the_names_by_which_they_may_be_started(loop):
    resource = may(loop.monitoring, "MonitorRole")["CountInJobs"]["Resource"]
    assert resource == f"{SAGEMAKER}:processing-job/drift-rain-loop-*"
    name = job_name("rain-loop", Window(0, 60), "first")
    assert name.startswith(resource.rpartition("/")[2].rstrip("*"))


def test_jobs_get_one_role_from_sagemaker_only(loop):
    statement = may(loop.monitoring, "MonitorRole")["PassJobRoles"]
    assert statement["Resource"].startswith("<EndpointrainJobRole")
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    role = one(loop.monitoring, "AWS::IAM::Role", "EndpointrainJobRole")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_a_job_writes_counts_and_nothing_else(loop):
    statements = may(loop.monitoring, "EndpointrainJobRole")
    writing = {name: each for name, each in statements.items() if "s3:PutObject" in listed(each["Action"])}
    assert {name: each["Resource"] for name, each in writing.items()} == {
        "WriteObjects": f"{BUCKET}/monitoring/rain-loop/*"
    }
    assert "ReadBootstrapModels" not in statements
    namespaces = {"cloudwatch:namespace": ["/aws/sagemaker/ProcessingJobs"]}
    assert statements["PutMetrics"]["Condition"] == {"StringEquals": namespaces}


def alarms(template):
    return {name: template.text(one["Properties"]) for name, one in template.of_type("AWS::CloudWatch::Alarm").items()}


@pytest.mark.parametrize(("name", "seconds"), [("loop", 60), ("prod", 3600)])
def test_severe_drift_in_two_of_three_windows_is_an_alarm(synthesised, name, seconds):
    (alarm,) = [one for key, one in alarms(synthesised[name].monitoring).items() if "Drift" in key]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("Tidegate", "SeverelyDriftedFeatures")
    assert alarm["Dimensions"] == [{"Name": "Endpoint", "Value": f"rain-{name}"}]
    assert (alarm["Statistic"], alarm["Period"], alarm["Threshold"]) == ("Maximum", seconds, 1)
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (3, 2)
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(("key", "metric"), [("Suspect", "SuspectWindows"), ("Accuracy", "AccuracyDrops")])
def test_one_broken_window_or_drop_of_accuracy_is_an_alarm(synthesised, key, metric):
    (alarm,) = [one for name, one in alarms(synthesised["prod"].monitoring).items() if key in name]
    assert (alarm["MetricName"], alarm["Period"], alarm["Threshold"]) == (metric, 3600, 1)
    assert (alarm["EvaluationPeriods"], alarm["TreatMissingData"]) == (1, "notBreaching")


def test_a_fault_of_the_monitor_is_an_alarm(synthesised):
    (alarm,) = [one for name, one in alarms(synthesised["prod"].monitoring).items() if "Faults" in name]
    metrics = [one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one]
    assert [one["MetricName"] for one in metrics] == ["Faults"]
    assert {"Name": "service", "Value": "tidegate-monitor"} in metrics[0]["Dimensions"]


@pytest.mark.parametrize(("name", "seconds"), [("loop", 60), ("prod", 900)])
def test_a_monitor_that_does_not_run_or_keep_up_is_an_alarm(synthesised, name, seconds):
    (alarm,) = [one for key, one in alarms(synthesised[name].monitoring).items() if "Stalled" in key]
    assert (alarm["MetricName"], alarm["Period"], alarm["Threshold"]) == ("WindowsBehind", seconds, 3)
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (3, 3)
    assert alarm["TreatMissingData"] == "breaching"


def test_every_alarm_tells_the_environments_topic(each):
    for name in ("Monitoring", "Retraining"):
        for alarm in alarms(each.templates[name]).values() if name in each.templates else ():
            (action,) = alarm["AlarmActions"]
            assert action.endswith(f":tidegate-{each.environment.environment}-alerts")


def test_the_image_is_made_from_what_it_needs_and_nothing_else(loop):
    (manifest,) = loop.folder.glob("assembly-*/*Monitoring*.assets.json")
    (image,) = json.loads(manifest.read_text())["dockerImages"].values()
    assert image["source"]["dockerFile"] == "model_containers/monitoring/Dockerfile"
    context = manifest.parent / image["source"]["directory"]
    files = {path.relative_to(context).as_posix() for path in context.rglob("*") if path.is_file()}
    assert {"lambdas/__init__.py", "lambdas/contract.py", "lambdas/monitoring/profile/bins.py"} <= files
    assert not [path for path in files if path.startswith(("lambdas/rollout", "lambdas/monitoring/adapters", "tests"))]
