"""Where a container captures, its lines come from its log to S3, and nobody on the way may do more than that."""

import json
from dataclasses import replace

import pytest

from lambdas import contract
from lambdas.monitoring.settings import Settings
from lambdas.rollout.settings import Settings as RolloutSettings

LOG = "arn:aws:logs:us-east-1:123456789012"


def change(environment):
    """Return the environment with a container that captures, and neither retraining nor a judge of answers."""
    (rain,) = environment.endpoints
    fleet = replace(rain.fleet, capture="container", capture_sampling_percent=20, capture_redacted_columns=("wind",))
    rain = replace(rain, fleet=fleet, retraining=None, rollout=replace(rain.rollout, judge=None))
    return replace(environment, endpoints=(rain,))


@pytest.fixture(scope="module")
def capturing(synthesise_changed):
    return synthesise_changed("loop", change)


def one(template, kind, beginning=""):
    (found,) = [each["Properties"] for name, each in template.of_type(kind).items() if name.startswith(beginning)]
    return template.text(found)


def statements(template, role):
    return {each["Sid"]: each for each in template.statements(role)}


def test_there_is_nothing_of_it_without_an_endpoint_that_asks(each):
    delivering = {"AWS::KinesisFirehose::DeliveryStream", "AWS::Logs::SubscriptionFilter"}
    for name, template in each.templates.items():
        found = [body for body in template.body["Resources"].values() if body["Type"] in delivering]
        # A front door's are of what is written down of predictions.
        assert name == "Inference" or not found, name
        assert "capture" not in json.dumps([template.text(body["Properties"]) for body in found]), name
    models = [body["Properties"] for _, body in each.every_resource if body["Type"] == "AWS::SageMaker::Model"]
    assert not any("Environment" in model["PrimaryContainer"] for model in models)


def test_only_captured_lines_leave_the_endpoints_log(capturing):
    found = one(capturing.registry, "AWS::Logs::SubscriptionFilter")
    assert found["FilterPattern"] == '{ $.captureData.endpointInput.mode = "INPUT" }'
    assert found["LogGroupName"].startswith("<EndpointrainLogs")
    group = one(capturing.registry, "AWS::Logs::LogGroup", "EndpointrainLogs")
    assert group["LogGroupName"] == "/aws/sagemaker/Endpoints/rain-loop"
    (statement,) = capturing.registry.statements("EndpointrainCaptureSender")
    assert statement["Action"] == ["firehose:PutRecord", "firehose:PutRecordBatch"]
    assert statement["Resource"] == found["DestinationArn"]
    role = one(capturing.registry, "AWS::IAM::Role", "EndpointrainCaptureSender")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {"StringLike": {"aws:SourceArn": f"{LOG}:*"}}


def test_the_stream_stores_messages_as_lines_encrypted_by_the_hour(capturing):
    stream = one(capturing.registry, "AWS::KinesisFirehose::DeliveryStream")
    sealed = stream["DeliveryStreamEncryptionConfigurationInput"]
    assert sealed["KeyType"] == "CUSTOMER_MANAGED_CMK"
    to = stream["ExtendedS3DestinationConfiguration"]
    assert to["Prefix"] == "capture/rain-loop/container/!{timestamp:yyyy/MM/dd/HH}/"
    assert to["ErrorOutputPrefix"].startswith("capture-errors/rain-loop/!{firehose:error-output-type}/")
    assert to["FileExtension"] == ".jsonl"
    assert to["EncryptionConfiguration"]["KMSEncryptionConfig"]["AWSKMSKeyARN"] == sealed["KeyARN"]
    assert [each["Type"] for each in to["ProcessingConfiguration"]["Processors"]] == [
        "Decompression",
        "CloudWatchLogProcessing",
        "AppendDelimiterToRecord",
    ]
    assert to["ProcessingConfiguration"]["Processors"][2]["Parameters"][0]["ParameterValue"] == r"\n"


def test_the_stream_writes_captures_and_their_errors_and_nothing_else(capturing):
    may = statements(capturing.registry, "EndpointrainCaptureRole")
    assert set(may) == {"WriteCaptures", "FindBucket", "SealCaptures", "WriteLog"}
    bucket = may["FindBucket"]["Resource"]
    paths = ("capture/rain-loop/container/*", "capture-errors/rain-loop/*")
    assert set(may["WriteCaptures"]["Resource"]) == {f"{bucket}/{path}" for path in paths}
    assert may["SealCaptures"]["Condition"] == {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    assert may["WriteLog"]["Action"] == "logs:PutLogEvents"
    role = one(capturing.registry, "AWS::IAM::Role", "EndpointrainCaptureRole")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_the_stream_stops_before_the_bucket_is_emptied(capturing):
    ((_, stream),) = capturing.registry.of_type("AWS::KinesisFirehose::DeliveryStream").items()
    (emptied,) = capturing.registry.of_type(contract.EMPTY_RESOURCE_TYPE)
    assert emptied in stream["DependsOn"]


def test_errors_expire_like_captures(capturing, loop):
    def prefixes(template):
        rules = one(template, "AWS::S3::Bucket", "ArtefactsBucket")["LifecycleConfiguration"]["Rules"]
        return {rule.get("Prefix"): rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}

    expiring = prefixes(capturing.registry)
    assert expiring["capture-errors/"] == expiring["capture/"]
    assert "capture-errors/" not in prefixes(loop.registry)


def test_the_first_model_captures_and_sagemaker_does_not(capturing):
    seeds = capturing.serving.of_type(contract.SEED_RESOURCE_TYPE)
    (seed,) = [each["Properties"] for each in seeds.values() if "Image" in each["Properties"]]
    assert seed["CaptureEnabled"] == "false"
    model = one(capturing.serving, "AWS::SageMaker::Model")
    variables = model["PrimaryContainer"]["Environment"]
    recorded = {name: seed[value.rpartition(".")[2].rstrip(">")] for name, value in variables.items()}
    assert recorded == {
        contract.CAPTURE_SAMPLING: "20",
        contract.CAPTURE_LARGEST: "16384",
        contract.CAPTURE_REDACTED: "wind",
        contract.CAPTURE_VARIANT: "blue",
    }


def test_the_engine_is_told(capturing):
    (parameter,) = capturing.serving.of_type("AWS::SSM::Parameter").values()
    told = RolloutSettings.from_json(capturing.serving.text(parameter["Properties"]["Value"])).fleet.capture
    assert (told.enabled, told.sampling_percent) == (False, 20)
    assert told.variables == capturing.environment.endpoints[0].fleet.capture_variables


def test_the_monitor_is_told_what_it_cannot_see(capturing, loop):
    def read(template):
        parameter = one(template, "AWS::SSM::Parameter", "Endpointrain")
        return Settings.from_json(parameter["Value"]).redacted

    assert read(capturing.monitoring) == ("wind",)
    assert read(loop.monitoring) == ()
