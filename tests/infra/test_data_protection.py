"""What is kept is encrypted, reached over TLS only, and outlives the stacks where the environment says so."""

import json

import pytest

DATA = (
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SageMaker::ModelPackageGroup",
)


def every(each, kind):
    return [
        (template, name, resource["Properties"])
        for template in each.templates.values()
        for name, resource in template.of_type(kind).items()
    ]


def test_queues_topics_and_logs_are_under_the_stack_key(each):
    for kind, field in (
        ("AWS::SQS::Queue", "KmsMasterKeyId"),
        ("AWS::SNS::Topic", "KmsMasterKeyId"),
        ("AWS::Logs::LogGroup", "KmsKeyId"),
    ):
        found = every(each, kind)
        assert found
        for template, name, properties in found:
            assert template.text(properties[field]).startswith("<Key"), name


def test_tables_are_on_demand_recoverable_and_under_their_stacks_keys(each):
    for template, _, table in every(each, "AWS::DynamoDB::Table"):
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert template.text(table["SSESpecification"]["KMSMasterKeyId"]).startswith("<Key")
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}


def test_the_rollout_table_finds_who_is_due(each):
    table = each.rollout.one("AWS::DynamoDB::Table")
    (index,) = table["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["Projection"]) == (
        "by-wake",
        {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["name"]},
    )
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["lane", "wake"]


def test_buckets_are_private_encrypted_and_expire_what_piles_up(each):
    for _, name, bucket in every(each, "AWS::S3::Bucket"):
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"], name
        assert bucket["LifecycleConfiguration"]["Rules"], name


def test_artefacts_are_versioned_logged_and_under_the_stack_key(each):
    (bucket,) = [properties for _, _, properties in every(each, "AWS::S3::Bucket") if "BucketName" in properties]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert each.registry.text(bucket["LoggingConfiguration"]["DestinationBucketName"]).startswith(
        "<ArtefactsAccessLogs"
    )
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    key = rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    assert each.registry.text(key).startswith("<Key")


def kept_for(environment):
    """Return for how many days what may hold captured requests is kept, by its folder."""
    days = {"capture": environment.capture_retention_days}
    if environment.monitored:
        days |= {"labels": environment.capture_retention_days, "monitoring": environment.evidence_retention_days}
    days |= {"retraining": environment.evidence_retention_days} if environment.retrained else {}
    for endpoint in environment.called:
        days |= written_down(endpoint.front_door, endpoint.full_name(environment.environment))
    return days


def written_down(door, name):
    """Return for how many days what a front door writes down is kept, by its folder."""
    audit, jobs, batch = door.audit, door.jobs, door.batch
    days = {f"{folder}/{name}": audit.retention_days for folder in ("audit", "audit-errors")} if audit else {}
    days |= {f"batch/{name}": batch.keep_days} if batch else {}
    return days | ({f"inference/{name}": jobs.keep_days + 1} if jobs else {})


def test_captured_bodies_are_gone_when_they_expire_and_leave_no_marker(each):
    (bucket,) = [properties for _, _, properties in every(each, "AWS::S3::Bucket") if "BucketName" in properties]
    rules = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if "Prefix" in rule]
    kept = kept_for(each.environment)
    assert {rule["Prefix"] for rule in rules} == {f"{folder}/" for folder in kept}
    for folder, days in kept.items():
        check_expiry([rule for rule in rules if rule["Prefix"] == f"{folder}/"], days)


def check_expiry(rules, days):
    by_age, markers = sorted(rules, key=lambda rule: rule["Id"])
    assert by_age["ExpirationInDays"] == days
    assert by_age["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}, "the bucket is versioned"
    assert markers["ExpiredObjectDeleteMarker"] is True
    assert "ExpirationInDays" not in markers, "S3 refuses both in one rule"


@pytest.mark.parametrize(
    ("kind", "policy", "field"),
    [("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"), ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues")],
)
def test_plain_connections_are_refused(each, kind, policy, field):
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    guarded = {
        json.dumps(template.text(properties[field]))
        for template, _, properties in every(each, policy)
        if any(
            statement["Effect"] == "Deny" and statement.get("Condition") == insecure
            for statement in properties["PolicyDocument"]["Statement"]
        )
    }
    for _, name, _ in every(each, kind):
        assert any(f"<{name}>" in one for one in guarded), name


def test_keys_rotate_and_serve_this_account_only(each):
    for template, _, key in every(each, "AWS::KMS::Key"):
        # KMS rotates no key pairs.
        assert key.get("EnableKeyRotation") is (None if key.get("KeyUsage") == "SIGN_VERIFY" else True)
        for statement in key["KeyPolicy"]["Statement"]:
            if "Service" in statement["Principal"]:
                condition = template.text(statement["Condition"])
                assert each.environment.account or "123456789012" in json.dumps(condition)


@pytest.mark.parametrize("service", ["cloudwatch.amazonaws.com", "events.amazonaws.com"])
def test_publishers_may_use_the_key_of_queues_and_topic(each, service):
    statements = each.rollout.one("AWS::KMS::Key")["KeyPolicy"]["Statement"]
    (found,) = [one for one in statements if one["Principal"].get("Service") == service]
    assert found["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert each.rollout.text(found["Condition"]) == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_logs_end(each):
    for _, name, logs in every(each, "AWS::Logs::LogGroup"):
        assert logs["RetentionInDays"] == each.environment.log_retention_days, name


def test_every_function_logs_where_it_is_kept(each):
    for template, name, function in every(each, "AWS::Lambda::Function"):
        group = template.text(function["LoggingConfig"]["LogGroup"])
        assert group.strip("<>") in template.of_type("AWS::Logs::LogGroup"), name


def test_data_outlives_production_only_and_a_first_create_that_failed_nowhere(each):
    wanted = "RetainExceptOnCreate" if each.environment.retain_data else "Delete"
    for name, resource in each.every_resource:
        if resource["Type"] in DATA:
            assert resource["DeletionPolicy"] == wanted, resource["Type"]
        assert resource.get("DeletionPolicy") != "Retain", f"{name} would keep its name from the next create"


def test_stacks_that_keep_data_are_protected_and_no_table_is(each):
    """CloudFormation could not delete a protected table when it rolls a create back."""
    assert "DeletionProtectionEnabled" not in each.rollout.one("AWS::DynamoDB::Table")
    (manifest,) = each.folder.glob("assembly-*/manifest.json")
    stacks = [
        artefact["properties"].get("terminationProtection", False)
        for artefact in json.loads(manifest.read_text())["artifacts"].values()
        if artefact["type"] == "aws:cloudformation:stack"
    ]
    assert stacks == [each.environment.retain_data] * len(each.templates)


def test_production_keeps_its_data(prod):
    assert prod.environment.retain_data
