"""Retraining is started by what it should be, may do what it does, and its pipeline is the one that was committed."""

import json
from dataclasses import replace

import pytest

from lambdas import contract
from lambdas.retraining.settings import Settings
from lambdas.rollout.settings import Settings as EndpointSettings
from stacks.config import ROOT

BUCKET = "arn:aws:s3:::tidegate-loop-artefacts-123456789012-us-east-1"
SAGEMAKER = "arn:aws:sagemaker:us-east-1:123456789012"
PIPELINE = f"{SAGEMAKER}:pipeline/rain-loop-retraining"
RETRAINED = ("dev", "staging", "prod", "loop")


def listed(value):
    return value if isinstance(value, list) else [value]


def may(template, role):
    """Return a role's statements by their names."""
    return {one["Sid"]: one for one in template.statements(role)}


def actions(template, role):
    return {action for each in template.statements(role) for action in listed(each["Action"])}


def one(template, kind, beginning):
    (found,) = [each["Properties"] for name, each in template.of_type(kind).items() if name.startswith(beginning)]
    return template.text(found)


def changed(environment, **changes):
    """Return an environment whose endpoints are retrained otherwise."""
    endpoints = (
        replace(each, retraining=replace(each.retraining, **changes)) if each.retraining else each
        for each in environment.endpoints
    )
    return replace(environment, endpoints=tuple(endpoints))


@pytest.mark.parametrize("name", RETRAINED)
def test_the_controller_reads_what_the_template_renders(synthesised, name):
    environment, template = synthesised[name].environment, synthesised[name].retraining
    (endpoint,) = environment.retrained
    parameter = one(template, "AWS::SSM::Parameter", "Endpointrain")
    assert parameter["Name"] == contract.retraining_parameter(name, f"rain-{name}")
    read, written = Settings.from_json(parameter["Value"]), endpoint.retraining
    assert (read.environment, read.endpoint) == (name, f"rain-{name}")
    assert (read.cooldown_minutes, read.monthly_runs) == (written.cooldown_minutes, written.monthly_runs)
    assert (read.approval, read.least_gain_percent) == (written.approval, written.least_gain_percent)
    assert (read.schedule_days, read.on_new_data) == (written.schedule_days, written.on_new_data)
    assert (read.lookback_minutes, read.history_days) == (
        written.lookback_minutes,
        environment.capture_retention_days,
    )
    assert read.on_drift is not None
    assert vars(read.on_drift) == vars(written.on_drift)
    runtimes = 5 if written.training.spot else 4  # spot instances may be waited for as long again
    assert read.run_limit_minutes > runtimes * written.training.max_runtime_minutes
    assert read.bootstrap.version == endpoint.bootstrap.version
    assert read.pipeline == template.one("AWS::SageMaker::Pipeline")["PipelineName"]


def test_the_controller_is_told_of_no_drift_where_it_does_not_count(synthesise_changed):
    template = synthesise_changed("loop", lambda each: changed(each, on_drift=None)).retraining
    assert Settings.from_json(one(template, "AWS::SSM::Parameter", "Endpointrain")["Value"]).on_drift is None


def rules(template):
    return {
        name.split("Rule")[0]: template.text(rule["Properties"])
        for name, rule in template.of_type("AWS::Events::Rule").items()
    }


def test_what_may_start_a_run_comes_through_a_queue(loop):
    found = rules(loop.retraining)
    sweeps = found.pop("Sweeps")
    assert sweeps["ScheduleExpression"] == "rate(1 minute)"
    assert sweeps["Targets"][0]["Arn"].startswith("<SweepFunction")
    own = {"account": ["123456789012"], "detail": {"endpoint": ["rain-loop"]}}
    assert {name: rule["EventPattern"] for name, rule in found.items()} == {
        "DriftWindows": {"source": ["tidegate.monitoring"], "detail-type": ["Tidegate Drift Window"], **own},
        "Commands": {"source": ["tidegate.operator"], "detail-type": ["Tidegate Retrain Command"], **own},
        "PipelineStates": {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
            "detail": {"pipelineArn": [PIPELINE]},
        },
    }
    for rule in found.values():
        (target,) = rule["Targets"]
        assert target["Arn"].startswith("<RequestsQueue")
        assert target["DeadLetterConfig"]["Arn"].startswith("<LostEventsQueue")


def test_new_labels_start_runs_where_the_file_says_so(synthesise_changed):
    made = synthesise_changed("prod", lambda each: changed(each, on_new_data=True))
    pattern = rules(made.retraining)["NewLabels"]["EventPattern"]
    assert pattern["detail"]["object"] == {"key": [{"prefix": "labels/rain-prod/"}]}
    bucket = one(made.registry, "AWS::S3::Bucket", "ArtefactsBucket")
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert pattern["detail"]["bucket"]["name"] == [bucket["BucketName"]]


def test_a_bucket_tells_of_nothing_that_nobody_wants_to_know(loop):
    assert "NotificationConfiguration" not in one(loop.registry, "AWS::S3::Bucket", "ArtefactsBucket")


def test_the_controllers_time_out_after_a_minute_and_the_last_step_after_five(loop):
    functions = {
        name.split("Function")[0]: each["Properties"]
        for name, each in loop.retraining.of_type("AWS::Lambda::Function").items()
    }
    assert {name: each["Timeout"] for name, each in functions.items()} == {"Retrain": 60, "Sweep": 60, "Conclude": 300}
    for name, each in functions.items():
        assert each["Handler"] == f"lambdas.retraining.handlers.{name.lower()}.handler"
        variables = loop.retraining.text(each["Environment"]["Variables"])
        assert variables[contract.ENV_TABLE] == contract.table_name("loop")
        assert variables[contract.ENV_RETRAINING_TABLE].startswith("<Table")
        assert f"arn:aws:s3:::{variables[contract.ENV_ARTEFACT_BUCKET]}" == BUCKET
        assert variables[contract.ENV_TOPIC_ARN].endswith(":tidegate-loop-alerts")
    assert loop.retraining.one("AWS::DynamoDB::Table")["TableName"] == contract.retraining_table("loop")


CONTROL = {
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "events:PutEvents",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:DescribeModel",
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribePipelineExecution",
    "sagemaker:DescribeProcessingJob",
    "sagemaker:ListPipelineExecutionSteps",
    "sagemaker:ListPipelineExecutions",
    "sagemaker:StartPipelineExecution",
    "sagemaker:StopPipelineExecution",
    "sagemaker:UpdateModelPackage",
    "sns:Publish",
    "ssm:GetParameter",
    "ssm:GetParametersByPath",
}
CONCLUDE = {
    "dynamodb:GetItem",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:Sign",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "sagemaker:CreateModelPackage",
    "sagemaker:DescribeEndpointConfig",
    "sagemaker:DescribeModel",
    "sagemaker:DescribeModelPackage",
    "sagemaker:ListModelPackages",
    "ssm:GetParameter",
}
CONSUME = {
    f"sqs:{verb}" for verb in ("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
}
PIPELINE_ROLE = {
    *(f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop") for kind in ("Processing", "Training")),
    "iam:PassRole",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "lambda:InvokeFunction",
    "s3:GetObject",
    "s3:ListBucket",
    "sagemaker:AddTags",
}


@pytest.mark.parametrize(
    ("role", "exactly"),
    [
        ("RetrainRole", CONTROL | CONSUME),
        ("SweepRole", CONTROL),
        ("ConcludeRole", CONCLUDE),
        ("EndpointrainRetrainingStepsRole", PIPELINE_ROLE),
    ],
)
def test_each_has_exactly_its_actions(loop, role, exactly):
    assert actions(loop.retraining, role) == exactly


@pytest.mark.parametrize("name", RETRAINED)
@pytest.mark.parametrize("role", ["RetrainRole", "SweepRole"])
def test_only_the_controller_approves_and_only_where_that_is_the_rule(synthesised, name, role):
    (endpoint,) = synthesised[name].environment.retrained
    approves = "sagemaker:UpdateModelPackage" in actions(synthesised[name].retraining, role)
    assert approves is (endpoint.retraining.approval == "automatic")


@pytest.mark.parametrize("name", RETRAINED)
def test_a_version_is_registered_as_one_that_waits(synthesised, name):
    statements = may(synthesised[name].retraining, "ConcludeRole")
    pending = {"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}
    assert statements["Register"]["Condition"] == pending


@pytest.mark.parametrize(
    ("role", "statement", "resource"),
    [
        ("RetrainRole", "StartRuns", PIPELINE),
        ("RetrainRole", "FollowRuns", f"{PIPELINE}/execution/*"),
        ("RetrainRole", "ReadLastWords", f"{SAGEMAKER}:processing-job/pipelines-*"),
        ("RetrainRole", "ApproveByRule", f"{SAGEMAKER}:model-package/rain-loop/*"),
        ("RetrainRole", "WriteObjects", f"{BUCKET}/retraining/rain-loop/*"),
        ("RetrainRole", "FindSettings", "arn:aws:ssm:us-east-1:123456789012:parameter/tidegate/loop/retraining"),
        ("ConcludeRole", "WriteObjects", [f"{BUCKET}/rain-loop/*", f"{BUCKET}/retraining/rain-loop/*"]),
        (
            "ConcludeRole",
            "Register",
            [f"{SAGEMAKER}:model-package-group/rain-loop", f"{SAGEMAKER}:model-package/rain-loop/*"],
        ),
        ("EndpointrainRetrainingJobRole", "WriteObjects", f"{BUCKET}/retraining/rain-loop/*"),
        ("EndpointrainRetrainingStepsRole", "RunProcessing", f"{SAGEMAKER}:processing-job/pipelines-*"),
        ("EndpointrainRetrainingStepsRole", "RunTraining", f"{SAGEMAKER}:training-job/pipelines-*"),
        ("EndpointrainRetrainingStepsRole", "ReadObjects", f"{BUCKET}/retraining/rain-loop/*"),
    ],
)
def test_what_it_is_done_to_is_spelled_out(loop, role, statement, resource):
    assert may(loop.retraining, role)[statement]["Resource"] == resource


def test_the_pipeline_passes_one_role_and_calls_one_function(loop):
    statements = may(loop.retraining, "EndpointrainRetrainingStepsRole")
    assert statements["PassJobRoles"]["Resource"].startswith("<EndpointrainRetrainingJobRole")
    assert statements["PassJobRoles"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }
    assert statements["Register"]["Resource"].startswith("<ConcludeFunction")


@pytest.mark.parametrize(
    ("stack", "role"), [("monitoring", "EndpointrainJobRole"), ("retraining", "EndpointrainRetrainingJobRole")]
)
def test_jobs_whose_outputs_are_sealed_with_an_alias_may_encrypt(loop, stack, role):
    """As the API reference asks for a job's role when KmsKeyId is an alias."""
    statement = may(getattr(loop, stack), role)["UseArtefactKey"]
    assert statement["Action"] == ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
    assert statement["Condition"]["ForAnyValue:StringEquals"] == {"kms:ResourceAliases": "alias/tidegate-loop-registry"}


def test_a_job_cannot_register_sign_or_tell(loop):
    allowed = actions(loop.retraining, "EndpointrainRetrainingJobRole")
    assert not {action for action in allowed if action.startswith(("sagemaker:", "sns:", "events:", "kms:Sign"))}


def definition(template):
    pipeline = template.one("AWS::SageMaker::Pipeline")
    return json.loads(template.text(pipeline["PipelineDefinition"]["PipelineDefinitionBody"]))


def defaults(template):
    return {each["Name"]: each.get("DefaultValue") for each in definition(template)["Parameters"]}


@pytest.mark.parametrize(("name", "file"), [("loop", "pipeline.json"), ("prod", "pipeline-spot.json")])
def test_the_pipeline_is_the_one_that_was_committed(synthesised, name, file):
    committed = json.loads((ROOT / "model_containers" / "training" / file).read_text())
    made = definition(synthesised[name].retraining)
    assert {**made, "Parameters": None} == {**committed, "Parameters": None}
    assert [each["Name"] for each in made["Parameters"]] == [each["Name"] for each in committed["Parameters"]]


def test_what_is_the_same_for_every_run_is_filled_in(synthesised):
    found = defaults(synthesised["prod"].retraining)
    assert (found["Endpoint"], found["LeastGain"]) == ("rain-prod", "0.01")
    assert (found["TrainInstanceType"], found["ProcessInstanceType"]) == ("ml.m5.xlarge", "ml.m5.xlarge")
    assert (found["MaxRuntimeSeconds"], found["MaxWaitSeconds"]) == (7200, 14_400)
    assert found["JobRoleArn"].startswith("<EndpointrainRetrainingJobRole")
    assert found["RegisterFunctionArn"].startswith("<ConcludeFunction")
    assert found["KmsKeyArn"] == "arn:aws:kms:eu-west-1:123456789012:alias/tidegate-prod-registry"
    assert found["ImageUri"].endswith(f":{found['Commit']}"), "the code's own digest, for want of a commit"


def test_a_challenger_is_judged_in_the_slices_that_the_monitor_tells_apart(synthesise_changed):
    def sliced(environment):
        (rain,) = environment.endpoints
        monitoring = replace(rain.monitoring, slices=("visibility", "dew_point"))
        return replace(environment, endpoints=(replace(rain, monitoring=monitoring),))

    made = synthesise_changed("loop", sliced)
    assert defaults(made.retraining)["Slices"] == "visibility,dew_point"


def test_only_what_differs_from_run_to_run_is_left_open(loop):
    left = {name for name, value in defaults(loop.retraining).items() if value is None}
    assert left == {
        "BaselineUri",
        "CapturesManifest",
        "ChampionUri",
        "ChampionVersion",
        "LabelsManifest",
        "OutputUri",
        "Reason",
        "RunId",
    }


def test_a_failed_run_is_an_alarm_though_no_function_learns_of_it(loop):
    (alarm,) = [
        loop.retraining.text(each["Properties"])
        for name, each in loop.retraining.of_type("AWS::CloudWatch::Alarm").items()
        if name.startswith("EndpointrainRetrainingFailed")
    ]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Sagemaker/ModelBuildingPipeline", "ExecutionFailed")
    assert alarm["Dimensions"] == [{"Name": "PipelineName", "Value": "rain-loop-retraining"}]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)


def test_silence_of_the_sweeper_is_an_alarm(loop):
    (alarm,) = [
        loop.retraining.text(each["Properties"])
        for name, each in loop.retraining.of_type("AWS::CloudWatch::Alarm").items()
        if name.startswith("Heartbeat")
    ]
    assert alarm["TreatMissingData"] == "breaching"
    assert "retraining may stand still" in alarm["AlarmDescription"]


def test_an_alarm_watches_every_dead_letter_queue(each):
    for name in ("Monitoring", "Retraining"):
        if name not in each.templates:
            continue
        template = each.templates[name]
        watched = {
            template.text(alarm["Properties"]["Dimensions"][0]["Value"])
            for alarm in template.of_type("AWS::CloudWatch::Alarm").values()
            if alarm["Properties"].get("MetricName") == "ApproximateNumberOfMessagesVisible"
        }
        dead = {key for key in template.of_type("AWS::SQS::Queue") if not key.startswith("RequestsQueue")}
        assert watched == {f"<{key}.QueueName>" for key in dead}


# Signing.


def test_each_environment_has_a_key_pair_for_signing(each):
    (key,) = [
        key["Properties"]
        for key in each.registry.of_type("AWS::KMS::Key").values()
        if key["Properties"].get("KeyUsage") == "SIGN_VERIFY"
    ]
    assert key["KeySpec"] == "ECC_NIST_P256"
    aliases = {alias["Properties"]["AliasName"] for alias in each.registry.of_type("AWS::KMS::Alias").values()}
    assert f"alias/tidegate-{each.environment.environment}-signing" in aliases


def test_rollouts_and_the_command_line_are_told_of_the_key_and_the_rule(each):
    name, region = each.environment.environment, each.environment.region or "eu-west-1"
    read = EndpointSettings.from_json(one(each.serving, "AWS::SSM::Parameter", "Settings")["Value"])
    assert read.signing_key == f"arn:aws:kms:{region}:123456789012:alias/tidegate-{name}-signing"
    assert read.signatures == each.environment.signatures


def test_what_goes_live_in_staging_and_production_is_signed(synthesised):
    rule = {name: each.environment.signatures for name, each in synthesised.items()}
    assert rule == {
        "dev": "checked",
        "local": "checked",
        "loop": "required",
        "prod": "required",
        "staging": "required",
    }


def with_the_signing_key(template):
    """Return what roles may do with the signing key, by the beginnings of their names."""
    found = {}
    for policy in template.of_type("AWS::IAM::Policy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            condition = template.text(statement.get("Condition", {})).get("ForAnyValue:StringEquals", {})
            if str(condition.get("kms:ResourceAliases")).endswith("-signing"):
                (role,) = template.text(policy["Properties"]["Roles"])
                found[role.strip("<>").split("Role")[0]] = statement["Action"]
    return found


def test_one_function_signs_and_those_that_roll_out_verify(loop):
    assert with_the_signing_key(loop.rollout) == dict.fromkeys(("Admit", "React", "Tick"), "kms:Verify")
    assert with_the_signing_key(loop.retraining) == {"Conclude": "kms:Sign"}
    assert with_the_signing_key(loop.monitoring) == {}
