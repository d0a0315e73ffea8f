"""The evaluation of IAM policies, without a cloud."""

import json
import re

import pytest

from localcloud.errors import NotSimulatedError
from localcloud.front.iam import Access, Caller, Verdict, identity_verdict, resource_verdict
from localcloud.front.permissions import Scope, needs_of

SCOPE = Scope("123456789012", "us-east-1")
_KEY = "aws:sourcearn"


def _document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **statement}]})


def _verdict(*documents, action="sqs:SendMessage", resource="arn:aws:sqs:us-east-1:1:q", context=None):
    return identity_verdict(documents, Access(action, resource, context or {}))


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
        ("StringEquals", "a", {_KEY: "a"}, True),
        ("StringEquals", ["b", "a"], {_KEY: "a"}, True),
        ("StringEquals", "a", {}, False),
        ("StringEqualsIfExists", "a", {}, True),
        ("StringEqualsIfExists", "a", {_KEY: "b"}, False),
        ("StringNotEquals", "a", {_KEY: "a"}, False),
        ("StringNotEquals", "a", {}, True),
        ("StringLike", "a*", {_KEY: "abc"}, True),
        ("ArnLike", "arn:aws:sns:*:1:t*", {_KEY: "arn:aws:sns:us-east-1:1:topic"}, True),
        ("ArnLike", "arn:aws:sns:*:1:t*", {_KEY: "arn:aws:sns:us-east-1:2:topic"}, False),
        ("Bool", "false", {_KEY: "true"}, False),
        ("Bool", False, {_KEY: "false"}, True),
        ("NumericLessThanEquals", "5", {_KEY: "5"}, True),
        ("DateGreaterThan", "2020-01-01T00:00:00Z", {_KEY: "2026-01-01T00:00:00Z"}, True),
        ("IpAddress", "10.0.0.0/8", {_KEY: "10.1.2.3"}, True),
        ("Null", "true", {}, True),
        ("Null", "true", {_KEY: "a"}, False),
        ("ForAllValues:StringEquals", ["a", "b"], {_KEY: ["a", "b"]}, True),
        ("ForAllValues:StringEquals", ["a"], {_KEY: ["a", "b"]}, False),
        ("ForAnyValue:StringEquals", ["a"], {_KEY: ["a", "b"]}, True),
        ("StringEquals", "${aws:principalaccount}", {_KEY: "1", "aws:principalaccount": "1"}, True),
    ],
)
def test_condition_operators(operator, wanted, context, holds):
    document = _document(Action="*", Condition={operator: {_KEY: wanted}})
    assert (_verdict(document, context=context) is Verdict.ALLOWED) is holds


def test_unknown_operator_is_an_error_that_names_it():
    with pytest.raises(NotSimulatedError, match="BinaryEquals"):
        _verdict(_document(Action="*", Condition={"BinaryEquals": {_KEY: "x"}}))


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize(
    "operator",
    ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "ForAllValues:StringEquals", "ForAnyValue:StringLike"],
)
@pytest.mark.parametrize("key", ["aws:SourceVpce", "aws:ResourceTag/team", "s3:x-amz-acl"])
def test_unknown_condition_key_is_an_error_that_names_it(effect, operator, key):
    """A key that is never set would let negative operators, IfExists and ForAllValues pass, and every Deny."""
    document = _document(Effect=effect, Action="sqs:*", Condition={operator: {key: "x"}})
    with pytest.raises(NotSimulatedError, match=key):
        _verdict(document)
    assert _verdict(document, action="s3:GetObject") is Verdict.SILENT
    assert _verdict(_document(Effect=effect, Action="*", Resource="other", Condition={operator: {key: "x"}})) is (
        Verdict.SILENT
    )


def test_unknown_condition_key_counts_beside_a_known_one_that_does_not_hold():
    conditions = {"StringEquals": {_KEY: "no"}, "Null": {"aws:SourceVpc": "true"}}
    with pytest.raises(NotSimulatedError, match="aws:SourceVpc"):
        _verdict(_document(Action="*", Condition=conditions))


_ARN = "arn:aws:sqs:us-east-1:1:q"


@pytest.mark.parametrize(
    "variable", ["${aws:username}", "${aws:PrincipalTag/team}", "${aws:SourceArn}", "${a, 'b'}", "${}"]
)
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize(
    "statement",
    [
        {"Resource": "arn:aws:sqs:*:*:{}"},
        {"Resource": ["arn:aws:sqs:*:*:other", "{}"]},
        {"NotResource": "arn:aws:sqs:*:*:{}"},
        {"Condition": {"StringEquals": {"aws:principalaccount": "{}"}}},
        {"Condition": {"StringNotEquals": {"aws:principalaccount": "{}"}}},
        {"Condition": {"ArnNotLike": {"aws:principalaccount": "{}"}}},
    ],
)
def test_policy_variable_without_a_value_is_an_error_that_names_it(effect, statement, variable):
    """Left as it is written it would match nothing, and open what NotResource, negations and Deny are to close."""
    given = json.loads(json.dumps({"Effect": effect, "Action": "sqs:*", **statement}).replace("{}", variable))
    everywhere = {} if "NotResource" in given else {"Resource": "*"}
    document = json.dumps({"Statement": [{**everywhere, **given}]})
    context = {"aws:principalaccount": "1"}
    with pytest.raises(NotSimulatedError, match=re.escape(f"policy variable {variable}")):
        _verdict(document, context=context)
    assert _verdict(document, action="s3:GetObject", context=context) is Verdict.SILENT


@pytest.mark.parametrize(
    ("pattern", "resource", "allowed"),
    [
        ("arn:aws:sqs:*:*:${aws:PrincipalAccount}-*", "arn:aws:sqs:us-east-1:1:77-q", True),
        ("arn:aws:sqs:*:*:${aws:PrincipalAccount}-*", "arn:aws:sqs:us-east-1:1:78-q", False),
        ("arn:aws:sqs:*:*:${events:source}", _ARN, False),
        ("arn:aws:sqs:*:*:${events:source}", "arn:aws:sqs:us-east-1:1:*", True),
        ("arn:aws:sqs:*:*:${*}", _ARN, False),
        ("arn:aws:sqs:*:*:${*}", "arn:aws:sqs:us-east-1:1:*", True),
        ("arn:aws:sqs:*:*:a${?}${$}", "arn:aws:sqs:us-east-1:1:a?$", True),
    ],
)
def test_what_a_policy_variable_stands_for_is_no_pattern(pattern, resource, allowed):
    context = {"aws:principalaccount": "77", "events:source": "*"}
    verdict = _verdict(_document(Action="*", Resource=pattern), resource=resource, context=context)
    assert (verdict is Verdict.ALLOWED) is allowed


def test_conditions_compare_variables_as_they_are():
    context = {"events:source": "*", "events:detail-type": "*"}
    for operator, source in (("StringEquals", "${events:detail-type}"), ("StringLike", "${events:detail-type}")):
        document = _document(Action="*", Condition={operator: {"events:source": source}})
        assert _verdict(document, context=context) is Verdict.ALLOWED
        assert _verdict(document, context={**context, "events:source": "x"}) is Verdict.SILENT


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


def _variant(name, model):
    return {"VariantName": name, "ModelName": model, "InstanceType": f"ml.{name}.large", "InitialInstanceCount": 1}


def test_creating_a_configuration_is_a_matter_of_every_model_in_it():
    params = {
        "EndpointConfigName": "Config",
        "ProductionVariants": [_variant("blue", "Old")],
        "ShadowProductionVariants": [_variant("green", "New")],
    }
    needs = needs_of("sagemaker:CreateEndpointConfig", params, SCOPE)
    assert {need.action for need in needs} == {"sagemaker:CreateEndpointConfig"}
    assert {need.resource for need in needs} == {SCOPE.arn("sagemaker", "endpoint-config/config")}
    models = [need.context["sagemaker:modelarn"] for need in needs]
    assert sorted(models) == [SCOPE.arn("sagemaker", f"model/{name}") for name in ("new", "old")]
    assert all(need.context["sagemaker:instancetypes"] == ["ml.blue.large", "ml.green.large"] for need in needs)


_VARIANT = {"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/Rain/variant/blue"}


def test_scaling_a_variant_takes_what_the_service_will_do_with_it():
    """Application Auto Scaling refuses callers who could not do its work themselves."""
    needs = {
        need.action: need.resource
        for need in needs_of("application-autoscaling:RegisterScalableTarget", _VARIANT, SCOPE)
    }
    endpoint = SCOPE.arn("sagemaker", "endpoint/rain")
    assert needs["sagemaker:DescribeEndpoint"] == endpoint
    assert needs["sagemaker:UpdateEndpointWeightsAndCapacities"] == endpoint


def test_a_scaling_policy_takes_the_permissions_for_its_alarms():
    needs = {
        need.action: need.resource for need in needs_of("application-autoscaling:PutScalingPolicy", _VARIANT, SCOPE)
    }
    alarms = SCOPE.arn("cloudwatch", "alarm:TargetTracking-endpoint/Rain/variant/blue-")
    assert needs["cloudwatch:PutMetricAlarm"].startswith(alarms)
    assert needs["cloudwatch:DeleteAlarms"].startswith(alarms)
    assert needs["cloudwatch:DescribeAlarms"] == "*"
    assert "application-autoscaling:PutScalingPolicy" in needs


def test_describing_scaling_takes_nothing_else():
    needs = needs_of("application-autoscaling:DescribeScalingPolicies", _VARIANT, SCOPE)
    assert [need.action for need in needs] == ["application-autoscaling:DescribeScalingPolicies"]


def test_operation_without_a_table_entry_is_named():
    with pytest.raises(NotSimulatedError, match="sqs:CreateQueue"):
        needs_of("sqs:CreateQueue", {}, SCOPE)


def test_what_is_not_simulated_points_to_the_list_of_what_is():
    assert "docs/local-support.md" in NotSimulatedError("it").message
