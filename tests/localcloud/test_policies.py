"""The evaluation of IAM policies, without a cloud."""

import json

import pytest

from localcloud.errors import NotSimulatedError
from localcloud.front.iam import Access, Caller, Verdict, identity_verdict, resource_verdict
from localcloud.front.permissions import Scope, needs_of

SCOPE = Scope("123456789012", "us-east-1")


def _document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **statement}]})


def _verdict(*documents, action="sqs:SendMessage", resource="arn:aws:sqs:us-east-1:1:q", **context):
    return identity_verdict(documents, Access(action, resource, context))


@pytest.mark.parametrize(
    ("pattern", "allowed"), [("sqs:SendMessage", True), ("SQS:send*", True), ("*", True), ("sqs:Send", False)]
)
def test_actions_match_with_wildcards_and_without_case(pattern, allowed):
    assert (_verdict(_document(Action=pattern)) is Verdict.ALLOWED) is allowed


def test_not_action_allows_all_but_the_named():
    assert _verdict(_document(NotAction="sqs:SendMessage")) is Verdict.SILENT
    assert _verdict(_document(NotAction="s3:*")) is Verdict.ALLOWED


def test_not_resource_allows_all_but_the_named():
    assert _verdict(_document(Action="*", NotResource="arn:aws:sqs:*:*:q")) is Verdict.SILENT
    assert _verdict(_document(Action="*", NotResource="arn:aws:sqs:*:*:other")) is Verdict.ALLOWED


def test_explicit_deny_wins_over_any_allow():
    deny = _document(Effect="Deny", Action="sqs:*")
    assert _verdict(_document(Action="*"), deny) is Verdict.DENIED


@pytest.mark.parametrize(
    ("operator", "wanted", "context", "holds"),
    [
        ("StringEquals", "a", {"k": "a"}, True),
        ("StringEquals", ["b", "a"], {"k": "a"}, True),
        ("StringEquals", "a", {}, False),
        ("StringEqualsIfExists", "a", {}, True),
        ("StringEqualsIfExists", "a", {"k": "b"}, False),
        ("StringNotEquals", "a", {"k": "a"}, False),
        ("StringNotEquals", "a", {}, True),
        ("StringLike", "a*", {"k": "abc"}, True),
        ("ArnLike", "arn:aws:sns:*:1:t*", {"k": "arn:aws:sns:us-east-1:1:topic"}, True),
        ("ArnLike", "arn:aws:sns:*:1:t*", {"k": "arn:aws:sns:us-east-1:2:topic"}, False),
        ("Bool", "false", {"k": "true"}, False),
        ("Bool", False, {"k": "false"}, True),
        ("NumericLessThanEquals", "5", {"k": "5"}, True),
        ("DateGreaterThan", "2020-01-01T00:00:00Z", {"k": "2026-01-01T00:00:00Z"}, True),
        ("IpAddress", "10.0.0.0/8", {"k": "10.1.2.3"}, True),
        ("Null", "true", {}, True),
        ("Null", "true", {"k": "a"}, False),
        ("ForAllValues:StringEquals", ["a", "b"], {"k": ["a", "b"]}, True),
        ("ForAllValues:StringEquals", ["a"], {"k": ["a", "b"]}, False),
        ("ForAnyValue:StringEquals", ["a"], {"k": ["a", "b"]}, True),
        ("StringEquals", "${aws:principalaccount}", {"k": "1", "aws:principalaccount": "1"}, True),
    ],
)
def test_condition_operators(operator, wanted, context, holds):
    document = _document(Action="*", Condition={operator: {"k": wanted}})
    assert (_verdict(document, **context) is Verdict.ALLOWED) is holds


def test_unknown_operator_is_an_error_that_names_it():
    with pytest.raises(NotSimulatedError, match="BinaryEquals"):
        _verdict(_document(Action="*", Condition={"BinaryEquals": {"k": "x"}}))


def test_resource_policy_for_the_account_leaves_the_matter_to_its_roles():
    policy = _document(Action="kms:*", Principal={"AWS": "arn:aws:iam::123456789012:root"})
    access = Access("kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/1", {})
    caller = Caller("123456789012", role_arn="arn:aws:iam::123456789012:role/r")
    assert resource_verdict(policy, access, caller) == (Verdict.SILENT, True)
    assert resource_verdict(policy, access, Caller("123456789012", service="events.amazonaws.com"))[1] is False


def test_service_principal_is_matched_by_name():
    policy = _document(Action="*", Principal={"Service": "events.amazonaws.com"})
    access = Access("sqs:SendMessage", "arn:aws:sqs:us-east-1:1:q", {})
    assert resource_verdict(policy, access, Caller("1", service="events.amazonaws.com"))[0] is Verdict.ALLOWED
    assert resource_verdict(policy, access, Caller("1", service="sns.amazonaws.com"))[0] is Verdict.SILENT


def test_transaction_needs_every_parts_permission():
    params = {"TransactItems": [{"Put": {"TableName": "t"}}, {"ConditionCheck": {"TableName": "u"}}]}
    needs = [
        (need.action, need.resource.rsplit("/")[-1]) for need in needs_of("dynamodb:TransactWriteItems", params, SCOPE)
    ]
    assert needs == [("dynamodb:PutItem", "t"), ("dynamodb:ConditionCheckItem", "u")]


def test_creating_a_model_passes_its_role():
    params = {"ModelName": "Rain", "ExecutionRoleArn": "arn:aws:iam::1:role/r", "Tags": [{"Key": "a", "Value": "b"}]}
    needs = {need.action: need for need in needs_of("sagemaker:CreateModel", params, SCOPE)}
    assert needs["sagemaker:CreateModel"].resource.endswith(":model/rain")
    assert needs["iam:PassRole"].context == {"iam:passedtoservice": "sagemaker.amazonaws.com"}
    assert "sagemaker:AddTags" in needs


def test_operation_without_a_table_entry_is_named():
    with pytest.raises(NotSimulatedError, match="sqs:CreateQueue"):
        needs_of("sqs:CreateQueue", {}, SCOPE)
