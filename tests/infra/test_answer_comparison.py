"""Captured requests reach the function that compares answers, which may do that and nothing else."""

from dataclasses import replace

import pytest

from lambdas.rollout.handlers.compare import LAST_CALL_SECONDS
from lambdas.rollout.policy import Answers, Judging

BUCKET = "arn:aws:s3:::tidegate-local-artefacts-123456789012-us-east-1"


def judged_by(judge):
    """Return a change of an environment's policies."""

    def change(environment):
        endpoints = (replace(one, rollout=replace(one.rollout, judge=judge)) for one in environment.endpoints)
        return replace(environment, endpoints=tuple(endpoints))

    return change


@pytest.fixture(scope="module")
def comparing(synthesise_changed):
    """Return the local environment with a policy that compares answers."""
    return synthesise_changed("local", judged_by(Judging(answers=Answers(5.0), horizon_seconds=60)))


def one(template, kind, beginning):
    (found,) = [each["Properties"] for name, each in template.of_type(kind).items() if name.startswith(beginning)]
    return template.text(found)


def statements(template):
    return {each["Sid"]: each for each in template.statements("CompareRole")}


@pytest.mark.parametrize("judge", [None, Judging(horizon_seconds=60)])
def test_there_is_nothing_of_it_without_a_policy_that_compares_answers(synthesise_changed, judge):
    made = synthesise_changed("local", judged_by(judge))
    assert not any(name.startswith(("Compare", "Captures", "Answers")) for name in made.rollout.body["Resources"])
    bucket = one(made.registry, "AWS::S3::Bucket", "ArtefactsBucket")
    assert "NotificationConfiguration" not in bucket


def test_the_bucket_tells_of_its_objects_without_a_function_of_the_cdks(comparing):
    bucket = one(comparing.registry, "AWS::S3::Bucket", "ArtefactsBucket")
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert not any(name.startswith("BucketNotifications") for name in comparing.registry.body["Resources"])


def test_captures_of_compared_endpoints_come_through_a_queue(comparing):
    rule = one(comparing.rollout, "AWS::Events::Rule", "AnswersCapturedObjects")
    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [BUCKET.rpartition(":")[2]]},
            "object": {"key": [{"prefix": "capture/rain-local/"}]},
        },
    }
    (target,) = rule["Targets"]
    assert target["Arn"].startswith("<CapturesQueue")


def test_the_prefix_is_that_of_the_endpoints_captures(comparing):
    (settings,) = comparing.serving.of_type("AWS::SSM::Parameter").values()
    assert f"{BUCKET.removeprefix('arn:aws:s3:::')}/capture/rain-local" in str(
        comparing.serving.text(settings["Properties"]["Value"])
    )


def test_a_version_gets_two_requests_at_a_time_at_most(comparing):
    feed = one(comparing.rollout, "AWS::Lambda::EventSourceMapping", "CompareFunction")
    assert (feed["BatchSize"], feed["ScalingConfig"]) == (1, {"MaximumConcurrency": 2})
    assert "MaximumBatchingWindowInSeconds" not in feed


def test_the_function_outlives_its_last_call(comparing):
    function = one(comparing.rollout, "AWS::Lambda::Function", "CompareFunction")
    assert function["Timeout"] >= LAST_CALL_SECONDS + 7
    assert "ReservedConcurrentExecutions" not in function, "nothing is taken from the loop"


def test_it_reads_captures_of_these_endpoints_only(comparing):
    may = statements(comparing.rollout)
    assert may["ReadCaptures"]["Resource"] == f"{BUCKET}/capture/rain-local/*"
    assert may["AskVersions"]["Resource"] == "arn:aws:sagemaker:us-east-1:123456789012:endpoint/rain-local"
    assert may["UnsealCaptures"]["Condition"] == {
        "ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/tidegate-local-registry"},
        "StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"},
    }


def test_the_alias_is_that_of_the_buckets_key(comparing):
    (alias,) = [
        each["Properties"]
        for each in comparing.registry.of_type("AWS::KMS::Alias").values()
        if each["Properties"]["AliasName"] == "alias/tidegate-local-registry"
    ]
    bucket = one(comparing.registry, "AWS::S3::Bucket", "ArtefactsBucket")
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    key = rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    assert comparing.registry.text(alias["TargetKeyId"]) == key


def test_it_can_overwrite_nothing_that_the_engine_goes_by(comparing):
    """PutItem on the partition of the state could replace the state."""
    may = statements(comparing.rollout)
    writing = [each for each in may.values() if "dynamodb:PutItem" in str(each["Action"])]
    assert [each["Condition"] for each in writing] == [
        {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["PAIRED#rain-local"]}}
    ]
    assert may["ReadState"]["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["ENDPOINT#rain-local", "PAIRED#rain-local"]}
    }


def test_findings_go_by_themselves(each):
    specification = each.rollout.one("AWS::DynamoDB::Table")["TimeToLiveSpecification"]
    assert specification == {"AttributeName": "expires", "Enabled": True}
