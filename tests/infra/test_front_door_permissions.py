"""Each function of a front door may do what it does, to what is its own endpoint's, and nothing is open to all."""

from fnmatch import fnmatchcase

import pytest

from lambdas.inference.adapters import answers, signatures
from lambdas.inference.batch import keyed
from lambdas.inference.batch.items import partition as batch_partition
from lambdas.inference.jobs import items, places
from lambdas.inference.ports import AnswerKey
from tests.infra.front_doors import CASES, ROLES, endpoint_of, functions, ids, listed, may, statements

LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
SEAL = {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"}
KEEP = {
    *SEAL,
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "s3:GetObject",
    "s3:ListBucket",
    "sagemaker:DescribeEndpointConfig",
}
KNOW = {*KEEP, "sagemaker:DescribeModel", "sagemaker:DescribeModelPackage"}
READ_STREAM = {
    f"kinesis:{verb}"
    for verb in ("DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards")
}
RUN_JOBS = {
    f"sagemaker:{verb}" for verb in ("AddTags", "CreateTransformJob", "DescribeTransformJob", "StopTransformJob")
}
MAKE_MODELS = {"iam:PassRole", *(f"sagemaker:{verb}Model" for verb in ("Create", "Delete", "Describe"))}
SWITCHES = {"appconfig:GetLatestConfiguration", "appconfig:StartConfigurationSession"}
PREDICT = {*LOG, *KNOW, "sagemaker:InvokeEndpoint"}
CONSUME = {
    f"sqs:{verb}" for verb in ("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
}
ACTIONS = {
    "predict": PREDICT,
    "jobs": {*LOG, *KNOW, "s3:PutObject", "sqs:SendMessage"},
    "work": {*PREDICT, *CONSUME, "events:PutEvents", "s3:PutObject", "sqs:SendMessage"},
    "authorize": LOG,
    "stream": {*PREDICT, *READ_STREAM, "kinesis:PutRecords", "sqs:SendMessage"},
    "batch": {*LOG, *KEEP, *CONSUME, *RUN_JOBS, *MAKE_MODELS, "events:PutEvents", "s3:PutObject"},
    "load": {*LOG, *SEAL, "dynamodb:PutItem", "s3:GetObject", "s3:PutObject"},
}
SERVED = {*KNOW, *(f"states:{verb}Execution" for verb in ("Describe", "Start", "Stop"))}
"""What the function that runs batches does as well where answers are asked for by key."""


@pytest.fixture(params=CASES, ids="-".join)
def case(request, doors):
    """A template, the SageMaker name of an endpoint and its front door."""
    name, endpoint = request.param
    found, door = endpoint_of(doors[name], endpoint)
    return doors[name].inference, found.full_name(doors[name].environment.environment), door


def role(name, handler):
    return f"Endpoint{name.partition('-')[0]}{ROLES[handler]}Role"


def handlers(template, name):
    return functions(template, name.partition("-")[0])


def test_each_function_has_exactly_its_actions(case):
    template, name, door = case
    for handler in handlers(template, name):
        allowed = {action for each in template.statements(role(name, handler)) for action in listed(each["Action"])}
        switched = SWITCHES if door.switches and handler not in ("authorize", "batch", "load") else set()
        served = SERVED if door.serves_batches and handler == "batch" else set()
        assert allowed == ACTIONS[handler] | switched | served, handler


def leading(statement):
    ((operator, keys),) = statement["Condition"].items()
    assert operator.startswith("ForAllValues:")
    return keys["dynamodb:LeadingKeys"]


def test_tables_are_opened_at_the_endpoints_own_items(case):
    """A policy that names no partitions opens all of them, those of other endpoints too."""
    template, name, _ = case
    for handler in handlers(template, name):
        for statement in template.statements(role(name, handler)):
            if not any(action.startswith("dynamodb:") for action in listed(statement["Action"])):
                continue
            for key in leading(statement):
                kind, endpoint, *rest = key.split("#")
                assert endpoint == name, statement
                assert rest == ([] if kind in ("ENDPOINT", "BATCH") else ["*"]), statement


def opened_at(template, name, handler):
    """Return patterns of the partitions that a function may read and write."""
    found = may(template, role(name, handler)).values()
    return [key for each in found if "dynamodb:PutItem" in listed(each["Action"]) for key in leading(each)]


KEPT = {
    "answer": lambda name: answers.partition(AnswerKey(name, "a-model", "hash")),
    "signature": lambda name: signatures.partition(name, "a-model"),
    "job": lambda name: items.key(name, "1")["pk"],
    "batch": batch_partition,
    "keyed": lambda name: keyed.partition(name, "a-key"),
}


KEPT_BY = {
    "predict": {"answer", "signature"},
    "jobs": {"signature", "job"},
    "work": {"answer", "signature", "job"},
    "authorize": set(),
    "stream": {"answer", "signature"},
    "batch": {"batch"},
    "load": {"keyed"},
}


def test_what_functions_write_is_what_they_may_write(case):
    template, name, door = case
    for handler in handlers(template, name):
        patterns = opened_at(template, name, handler)
        kept = KEPT_BY[handler] | ({"signature"} if door.serves_batches and handler == "batch" else set())
        for kind, partition in KEPT.items():
            fits = any(fnmatchcase(partition(name), pattern) for pattern in patterns)
            assert fits is (kind in kept), (handler, kind)
            for other in (f"{name}-x", f"x{name}", "rain-other"):
                assert not any(fnmatchcase(partition(other), pattern) for pattern in patterns), kind


def test_files_of_jobs_are_written_below_the_endpoints_own_folder(case):
    template, name, _ = case
    for handler in {"jobs", "work"} & set(handlers(template, name)):
        allowed = may(template, role(name, handler))
        for sid, action in (("ReadObjects", "s3:GetObject"), ("WriteObjects", "s3:PutObject")):
            assert allowed[sid]["Action"] == action
            bucket, _, pattern = allowed[sid]["Resource"].partition("/")
            assert bucket.startswith("arn:aws:s3:::tidegate-")
            assert pattern == f"inference/{name}/*"
            for key in (places.input_key(name, "1", "hash"), places.result_key(name, "1", 1)):
                assert fnmatchcase(key, pattern)


def test_files_of_models_are_opened_for_what_they_take_only(case):
    template, name, _ = case
    for handler in set(handlers(template, name)) - {"authorize", "batch", "load"}:
        allowed = may(template, role(name, handler))
        assert allowed["ReadSignatures"]["Resource"].endswith(f"/{name}/*/signature.json")
        for each in allowed.values():
            for resource in listed(each["Resource"]):
                if "s3:GetObject" in listed(each["Action"]):
                    assert resource.endswith(("/signature.json", ".json", f"/inference/{name}/*")), each


def test_one_endpoint_is_asked_and_nothing_of_another_is_touched(case):
    template, name, _ = case
    for handler in handlers(template, name):
        for statement in template.statements(role(name, handler)):
            for resource in listed(statement["Resource"]):
                place = resource.split(":", 5)[-1]
                if "sagemaker" in resource:
                    kind, _, rest = place.partition("/")
                    ends = {"endpoint": "", "model-package": "/*"}.get(kind, "-*")
                    begins = "batch-" if kind == "transform-job" or statement["Sid"] == "MakeModels" else ""
                    assert rest == f"{begins}{name}{ends}", statement


def test_keys_of_other_stacks_are_used_through_their_service_only(case):
    template, name, _ = case
    for handler in handlers(template, name):
        for statement in template.statements(role(name, handler)):
            if any(resource.endswith(":key/*") for resource in listed(statement["Resource"])):
                condition = statement["Condition"]
                assert condition["StringEquals"]["kms:ViaService"].split(".")[0] in ("dynamodb", "s3")
                assert condition["ForAnyValue:StringEquals"]["kms:ResourceAliases"].startswith("alias/tidegate-")


def test_events_are_sent_in_its_own_name(doors):
    for name in ("local", "prod", "opened"):
        template = doors[name].inference
        for handler in {"work", "batch"} & set(functions(template, "rain")):
            sent = may(template, f"Endpointrain{ROLES[handler]}Role")["PutEvents"]
            assert sent["Condition"] == {"StringEquals": {"events:source": "tidegate.inference"}}
            assert sent["Resource"].endswith(":event-bus/default")


# Nothing is public, and everything is sealed.


@pytest.fixture(params=["local", "prod", "opened"])
def template(request, doors):
    return doors[request.param].inference


UNNAMED = [
    ("cloudwatch:PutMetricData", {"StringEquals": {"cloudwatch:namespace": ["/aws/sagemaker/ProcessingJobs"]}}),
    ("ecr:GetAuthorizationToken", None),
]
"""What jobs may do that AWS grants for no resource by name, and under which condition."""


def test_no_statement_allows_everything(template):
    for name, statement in statements(template):
        if statement["Resource"] == "*" and name.startswith("EndpointrainBatchesLoadingRole"):
            assert statement["Sid"] in ("DeliverLogs", "Trace"), "AWS ties these to no resources"
        elif statement["Resource"] == "*":
            assert name.startswith("EndpointrainErasureJobRole"), name
            assert (statement["Action"], statement.get("Condition")) in UNNAMED
        assert "*" not in listed(statement["Resource"])[1:], name
        assert not any("*" in action for action in listed(statement["Action"])), name


def test_only_services_take_roles(template):
    for name, each in ids(template, "AWS::IAM::Role").items():
        for statement in each["AssumeRolePolicyDocument"]["Statement"]:
            assert list(statement["Principal"]) == ["Service"], name


def test_nobody_from_elsewhere_is_let_in(template):
    assert not template.of_type("AWS::Lambda::Url")
    for name, each in ids(template, "AWS::Lambda::Permission").items():
        assert "SourceArn" in each, name
        assert each["Principal"].endswith(".amazonaws.com"), name
    for name, each in ids(template, "AWS::SQS::QueuePolicy").items():
        for statement in template.text(each["PolicyDocument"]["Statement"]):
            if statement["Effect"] == "Allow":
                assert "Service" in statement["Principal"], name
                assert statement["Condition"], name
            else:
                assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}, name


def test_everything_is_under_the_stacks_key(template):
    for kind, field in (
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
        ("AWS::DynamoDB::Table", "SSESpecification"),
        ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamEncryptionConfigurationInput"),
    ):
        found = ids(template, kind)
        assert found, kind
        for name, each in found.items():
            sealed = template.text(each[field])
            key = sealed if isinstance(sealed, str) else sealed.get("KMSMasterKeyId", sealed.get("KeyARN"))
            assert key.startswith("<Key"), name
    for name, each in ids(template, "AWS::Kinesis::Stream").items():
        sealed = template.text(each["StreamEncryption"])
        assert sealed["EncryptionType"] == "KMS", name
        assert sealed["KeyId"].startswith("<Key"), name


def test_what_the_streams_write_is_sealed_by_the_buckets_own_key(template):
    for each in ids(template, "AWS::KinesisFirehose::DeliveryStream").values():
        to = each["ExtendedS3DestinationConfiguration"]
        assert to["EncryptionConfiguration"] == {"NoEncryptionConfig": "NoEncryption"}, "so that the bucket's is used"


def test_the_key_serves_this_account_only(template):
    (key,) = ids(template, "AWS::KMS::Key").values()
    assert key["EnableKeyRotation"] is True
    for statement in template.text(key["KeyPolicy"]["Statement"]):
        if "Service" in statement["Principal"]:
            assert "123456789012" in str(statement["Condition"]), statement
        else:
            assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
