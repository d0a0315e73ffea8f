"""Roles may do what their policies say, and nothing else."""

import json

import pytest
from botocore.exceptions import ClientError


def _refusal(call, **params):
    with pytest.raises(ClientError) as refused:
        call(**params)
    return refused.value.response["Error"]


def test_refusal_names_action_and_resource(cloud, workshop):
    url, arn = workshop.queue()
    role = workshop.role({"Effect": "Allow", "Action": "sqs:ReceiveMessage", "Resource": arn})
    sqs = cloud.role_client("sqs", role)
    sqs.receive_message(QueueUrl=url)
    error = _refusal(sqs.send_message, QueueUrl=url, MessageBody="x")
    assert error["Code"] == "AccessDeniedException"
    assert "is not authorized to perform: sqs:SendMessage" in error["Message"]
    assert f"on resource: {arn} because no identity-based policy allows" in error["Message"]
    assert ":assumed-role/" in error["Message"]


@pytest.mark.parametrize(
    ("service", "call", "code"), [("s3", "get_object", "AccessDenied"), ("sns", "publish", "AuthorizationError")]
)
def test_refusal_speaks_the_services_protocol(cloud, workshop, service, call, code):
    cloud.client("s3").create_bucket(Bucket="guarded-bucket")
    params = {
        "s3": {"Bucket": "guarded-bucket", "Key": "k"},
        "sns": {"TopicArn": cloud.client("sns").create_topic(Name="guarded")["TopicArn"], "Message": "m"},
    }
    client = cloud.role_client(service, workshop.role())
    assert _refusal(getattr(client, call), **params[service])["Code"] == code


def test_taking_an_action_away_counts_at_once(cloud, workshop):
    url, arn = workshop.queue()
    role = workshop.role({"Effect": "Allow", "Action": "sqs:*", "Resource": arn})
    sqs = cloud.role_client("sqs", role)
    sqs.send_message(QueueUrl=url, MessageBody="x")
    cloud.client("iam").delete_role_policy(RoleName=role.rsplit("/", 1)[-1], PolicyName="policy")
    assert _refusal(sqs.send_message, QueueUrl=url, MessageBody="x")["Code"] == "AccessDeniedException"


def test_operation_that_no_table_knows_is_named_under_a_role(cloud, workshop):
    sqs = cloud.role_client("sqs", workshop.role({"Effect": "Allow", "Action": "*", "Resource": "*"}))
    error = _refusal(sqs.create_queue, QueueName="mine")
    assert error["Code"] == "NotSimulated"
    assert "sqs:CreateQueue under role credentials" in error["Message"]


def test_pass_role_is_checked_with_the_service_it_goes_to(cloud, workshop):
    execution = workshop.role(service="sagemaker.amazonaws.com")
    model = {"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*"}
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": execution}
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    elsewhere = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    params = {
        "ExecutionRoleArn": execution,
        "PrimaryContainer": {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"},
    }
    for statements in ([model], [model, {**passing, "Condition": elsewhere}]):
        sagemaker = cloud.role_client("sagemaker", workshop.role(*statements))
        error = _refusal(sagemaker.create_model, ModelName=workshop.name("model"), **params)
        assert "iam:PassRole" in error["Message"]
        assert execution in error["Message"]
    allowed = cloud.role_client("sagemaker", workshop.role(model, {**passing, "Condition": condition}))
    assert allowed.create_model(ModelName=workshop.name("model"), **params)["ModelArn"]


def _customer_key(cloud, *statements):
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{cloud.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [root, *statements]})
    return cloud.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]


def test_customer_key_must_be_usable_too(cloud, workshop):
    key = _customer_key(cloud)
    url, arn = workshop.queue(KmsMasterKeyId=key)
    sending = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
    error = _refusal(cloud.role_client("sqs", workshop.role(sending)).send_message, QueueUrl=url, MessageBody="x")
    assert "kms:GenerateDataKey" in error["Message"]
    assert key in error["Message"]
    using = {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": key}
    cloud.role_client("sqs", workshop.role(sending, using)).send_message(QueueUrl=url, MessageBody="x")


def test_key_that_does_not_leave_it_to_the_account_refuses(cloud, workshop):
    policy = {"Version": "2012-10-17", "Statement": []}
    key = cloud.client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
    url, _ = workshop.queue(KmsMasterKeyId=key)
    everything = workshop.role({"Effect": "Allow", "Action": "*", "Resource": "*"})
    error = _refusal(cloud.role_client("sqs", everything).send_message, QueueUrl=url, MessageBody="x")
    assert "no resource-based policy allows the kms:GenerateDataKey" in error["Message"]


def test_encrypted_table_and_bucket_need_the_key(cloud, workshop):
    key = _customer_key(cloud)
    table = workshop.name("table")
    cloud.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
    )
    s3, bucket = cloud.client("s3"), workshop.name("bucket")
    s3.create_bucket(Bucket=bucket)
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [default]})
    role = workshop.role({"Effect": "Allow", "Action": ["dynamodb:*", "s3:*"], "Resource": "*"})
    item = {"TableName": table, "Key": {"pk": {"S": "a"}}}
    assert "kms:Decrypt" in _refusal(cloud.role_client("dynamodb", role).get_item, **item)["Message"]
    put = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    assert "kms:GenerateDataKey" in _refusal(cloud.role_client("s3", role).put_object, **put)["Message"]


def test_bucket_policy_denies_over_the_role(cloud, workshop):
    s3, bucket = cloud.client("s3"), workshop.name("bucket")
    s3.create_bucket(Bucket=bucket)
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/locked/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    client = cloud.role_client("s3", workshop.role({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}))
    client.put_object(Bucket=bucket, Key="open/k", Body=b"x")
    error = _refusal(client.put_object, Bucket=bucket, Key="locked/k", Body=b"x")
    assert "explicit deny in a resource-based policy" in error["Message"]


def test_bucket_policy_is_judged_with_its_conditions(cloud, workshop):
    """The usual demand for TLS must not refuse everybody: loopback counts as secure."""
    s3, bucket = cloud.client("s3"), workshop.name("bucket")
    s3.create_bucket(Bucket=bucket)
    arns = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": arns}
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    role = workshop.role({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    client = cloud.role_client("s3", role)
    old = {"NumericLessThan": {"s3:TlsVersion": 1.2}}
    for condition, refused in ((insecure, False), (old, False), ({"ArnLike": {"aws:PrincipalArn": role}}, True)):
        policy = {"Version": "2012-10-17", "Statement": [{**deny, "Condition": condition}]}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
        if refused:
            assert "explicit deny" in _refusal(client.put_object, Bucket=bucket, Key="k", Body=b"x")["Message"]
        else:
            client.put_object(Bucket=bucket, Key="k", Body=b"x")


def test_first_scaling_target_takes_the_linked_role(workshop, cloud):
    scaling = ["application-autoscaling:*", "sagemaker:*Endpoint*"]
    role = workshop.role({"Effect": "Allow", "Action": scaling, "Resource": "*"})
    cloud.authorizer._linked_roles.clear()
    error = _refusal(
        cloud.role_client("application-autoscaling", role).register_scalable_target,
        ServiceNamespace="sagemaker",
        ResourceId="endpoint/none/variant/blue",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=1,
        MaxCapacity=2,
    )
    assert "iam:CreateServiceLinkedRole" in error["Message"]


@pytest.mark.parametrize(("account", "trusted"), [("123456789012", True), ("999999999999", False)])
def test_a_service_assumes_roles_for_the_account_that_owns_the_cloud(cloud, account, trusted):
    """As SageMaker's advice against confused deputies has it, for the roles of inference endpoints among others."""
    name = f"for-{account}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    assert cloud.authorizer.may_assume(arn, "sagemaker.amazonaws.com") is trusted
    assert not cloud.authorizer.may_assume(arn, "lambda.amazonaws.com")


def _model(role):
    return {
        "ExecutionRoleArn": role,
        "PrimaryContainer": {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"},
    }


def test_model_whose_role_sagemaker_cannot_assume_is_refused(cloud, workshop):
    sagemaker = cloud.client("sagemaker")
    for role in (f"arn:aws:iam::{cloud.account}:role/absent", workshop.role()):
        error = _refusal(sagemaker.create_model, ModelName=workshop.name("model"), **_model(role))
        assert error["Code"] == "ValidationException"
        assert error["Message"].startswith(f"Could not assume role {role}.")
    trusted = workshop.role(service="sagemaker.amazonaws.com")
    assert sagemaker.create_model(ModelName=workshop.name("model"), **_model(trusted))["ModelArn"]


def _logs_statement(cloud, group, **more):
    arn = f"arn:aws:logs:{cloud.region}:{cloud.account}:log-group:{group}"
    return {
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{cloud.region}.amazonaws.com"},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn}},
        **more,
    }


def test_log_group_needs_a_key_that_logs_may_use(cloud, workshop):
    logs, group = cloud.client("logs"), workshop.name("group")
    absent = f"arn:aws:kms:{cloud.region}:{cloud.account}:key/6e1e5f0c-0000-4000-8000-000000000000"
    elsewhere = _customer_key(cloud, _logs_statement(cloud, "another-group"))
    for key in (absent, _customer_key(cloud), elsewhere):
        error = _refusal(logs.create_log_group, logGroupName=group, kmsKeyId=key)
        assert error["Code"] == "InvalidParameterException"
        assert key in error["Message"]
    logs.create_log_group(logGroupName=group, kmsKeyId=_customer_key(cloud, _logs_statement(cloud, "*")))


def test_key_of_a_log_group_is_held_against_its_policy_before_it_is_changed(cloud, workshop):
    logs, group = cloud.client("logs"), workshop.name("group")
    logs.create_log_group(logGroupName=group)
    error = _refusal(logs.associate_kms_key, logGroupName=group, kmsKeyId=_customer_key(cloud))
    assert error["Code"] == "InvalidParameterException"
    allowed = _customer_key(cloud, _logs_statement(cloud, group))
    assert _refusal(logs.associate_kms_key, logGroupName=group, kmsKeyId=allowed)["Code"] == "NotSimulated"


def test_assume_role_asks_the_trust_policy(cloud, workshop):
    assuming = workshop.role({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    untrusting = workshop.role()
    sts = cloud.role_client("sts", assuming)
    assert _refusal(sts.assume_role, RoleArn=untrusting, RoleSessionName="session")["Code"] == "AccessDenied"
    answer = cloud.client("sts").assume_role(RoleArn=assuming, RoleSessionName="session")
    assert answer["AssumedRoleUser"]["Arn"].endswith("/session")


def test_stale_role_credentials_are_refused(cloud):
    import boto3

    session = boto3.Session("ASIA0123456789ABCDEF", "s", "t", region_name=cloud.region)
    sts = session.client("sts", endpoint_url=cloud.endpoint_url)
    assert _refusal(sts.get_caller_identity)["Code"] == "UnrecognizedClientException"


def _table(cloud, workshop):
    name = workshop.name("table")
    keys = [("pk", "HASH"), ("sk", "RANGE")]
    cloud.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
    )
    return name


def _item(partition, **more):
    return {"pk": {"S": partition}, "sk": {"S": "x"}, **more}


def test_leading_keys_tell_partitions_apart(cloud, workshop):
    table = _table(cloud, workshop)
    only = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["mine"]}}
    role = workshop.role({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*", "Condition": only})
    mine = cloud.role_client("dynamodb", role)
    for call in (
        lambda partition: mine.put_item(TableName=table, Item=_item(partition)),
        lambda partition: mine.get_item(TableName=table, Key=_item(partition)),
        lambda partition: mine.query(
            TableName=table,
            KeyConditionExpression="#p = :p AND begins_with(sk, :s)",
            ExpressionAttributeNames={"#p": "pk"},
            ExpressionAttributeValues={":p": {"S": partition}, ":s": {"S": "x"}},
        ),
        lambda partition: mine.transact_write_items(
            TransactItems=[{"Put": {"TableName": table, "Item": _item(name)}} for name in {"mine", partition}]
        ),
        lambda partition: mine.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": _item(partition)}}]}),
        lambda partition: mine.batch_get_item(RequestItems={table: {"Keys": [_item("mine"), _item(partition)][-1:]}}),
        lambda partition: mine.delete_item(TableName=table, Key=_item(partition)),
    ):
        call("mine")
        assert _refusal(call, partition="theirs")["Code"] == "AccessDeniedException"


def test_a_key_is_known_by_its_aliases(cloud, workshop):
    kms, bucket = cloud.client("kms"), workshop.name("sealed")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=f"alias/{bucket}", TargetKeyId=key)
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=bucket)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ApplyServerSideEncryptionByDefault": default}]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")

    def reader(alias):
        known = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{alias}"}}
        use = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": known}
        return cloud.role_client("s3", workshop.role({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, use))

    assert reader(bucket).get_object(Bucket=bucket, Key="a")["Body"].read() == b"x"
    assert "kms:Decrypt" in _refusal(reader("another").get_object, Bucket=bucket, Key="a")["Message"]
