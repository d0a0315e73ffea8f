"""Jobs that take a person's rows out of the audit write what is written down of one endpoint, and nothing else."""

import json
from fnmatch import fnmatchcase

import pytest

from lambdas.inference.jobs import places
from tests.infra.front_doors import ids, listed, may, only

AUDITED = [("local", "rain-local"), ("prod", "rain-prod"), ("opened", "rain-local")]
ROLE = "EndpointrainErasureJobRole"
ACTIONS = {
    "FindObjects": {"s3:ListBucket"},
    "ReadObjects": {"s3:GetObject"},
    "WriteObjects": {"s3:PutObject"},
    "UseArtefactKey": {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"},
    "FindAssets": {"s3:ListBucket"},
    "WriteLog": {
        f"logs:{verb}" for verb in ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
    },
    "PutMetrics": {"cloudwatch:PutMetricData"},
    "PullImages": {
        f"ecr:{verb}" for verb in ("BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer")
    },
    "LogIn": {"ecr:GetAuthorizationToken"},
}


@pytest.fixture(params=AUDITED, ids=lambda each: each[0])
def case(request, doors):
    """A template and the SageMaker name of its endpoint."""
    name, endpoint = request.param
    return doors[name].inference, endpoint


def test_it_has_exactly_its_actions(case):
    template, _ = case
    assert {sid: set(listed(each["Action"])) for sid, each in may(template, ROLE).items()} == ACTIONS


def test_it_reads_and_writes_what_is_written_down_of_its_endpoint(case):
    template, name = case
    allowed = may(template, ROLE)
    patterns = [f"audit/{name}/*", f"inference/{name}/*"]
    for sid in ("ReadObjects", "WriteObjects"):
        found = [resource.partition("/") for resource in allowed[sid]["Resource"]]
        assert [pattern for _, _, pattern in found] == patterns
        assert all(bucket.startswith("arn:aws:s3:::tidegate-") for bucket, _, _ in found)
    assert allowed["FindObjects"]["Condition"] == {"StringLikeIfExists": {"s3:prefix": patterns}}
    assert fnmatchcase(places.input_key(name, "1", "hash"), patterns[1])
    to = only(template, "AWS::KinesisFirehose::DeliveryStream")["ExtendedS3DestinationConfiguration"]
    assert fnmatchcase(to["Prefix"], patterns[0])


def test_the_buckets_key_is_used_through_s3_only(case):
    template, _ = case
    condition = may(template, ROLE)["UseArtefactKey"]["Condition"]
    assert condition["StringEquals"]["kms:ViaService"].startswith("s3.")
    assert condition["ForAnyValue:StringEquals"]["kms:ResourceAliases"].endswith("-registry")


def test_logs_and_metrics_are_those_of_processing_jobs(case):
    template, _ = case
    allowed = may(template, ROLE)
    assert allowed["WriteLog"]["Resource"].endswith(":log-group:/aws/sagemaker/ProcessingJobs:*")
    assert allowed["PutMetrics"]["Condition"] == {
        "StringEquals": {"cloudwatch:namespace": ["/aws/sagemaker/ProcessingJobs"]}
    }


def test_sagemaker_takes_it_for_this_account_only(case):
    template, _ = case
    (trust,) = only(template, "AWS::IAM::Role", ROLE)["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_operators_are_told_what_it_runs_on(case):
    template, _ = case
    told = json.loads(only(template, "AWS::SSM::Parameter", "Endpointrain")["Value"])["erasure"]
    ((role, _),) = ids(template, "AWS::IAM::Role", ROLE).items()
    assert told["role"] == f"<{role}.Arn>"
    assert "/cdk-hnb659fds-container-assets-" in told["image"]
    assert told["instance_type"].startswith("ml.")


def test_where_nothing_is_written_down_nothing_erases(opened):
    assert not ids(opened.inference, "AWS::IAM::Role", "EndpointsnowErasure")
    assert "erasure" not in json.loads(only(opened.inference, "AWS::SSM::Parameter", "Endpointsnow")["Value"])
