"""Each function may do what it does, on what it does it to, and nothing else."""

import json
from dataclasses import replace

import pytest

from lambdas.rollout.policy import Hook, Step
from stacks.config.lengths import HOOKS_LIMIT

STATE = {
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
}
BATCHES_READ = {f"<ArtefactsBucket44D43D7B.Arn>/{folder}/rain-local/*" for folder in ("batch", "batch-input")}
BATCHES_WRITTEN = "<ArtefactsBucket44D43D7B.Arn>/batch/rain-local/*"
"""Batches run under the role of the endpoint's containers."""

LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
CONSUME = {
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
}
VERIFY = {"kms:Verify", "s3:GetObject", "s3:ListBucket"}
REMOVE = {
    "sagemaker:DeleteEndpointConfig",
    "sagemaker:DeleteModel",
    "sagemaker:DescribeEndpoint",
    "sagemaker:DescribeEndpointConfig",
}
STOP_SCALING = {"application-autoscaling:DeregisterScalableTarget"}
LOOP = {
    *STATE,
    *LOG,
    *VERIFY,
    *REMOVE,
    *STOP_SCALING,
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:RegisterScalableTarget",
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:PutMetricAlarm",
    "dynamodb:Query",
    "iam:CreateServiceLinkedRole",
    "iam:PassRole",
    "sagemaker:AddTags",
    "sagemaker:CreateEndpointConfig",
    "sagemaker:CreateModel",
    "sagemaker:DescribeModel",
    "sagemaker:DescribeModelPackage",
    "sagemaker:InvokeEndpoint",
    "sagemaker:ListModelPackages",
    "sagemaker:UpdateEndpoint",
    "sagemaker:UpdateEndpointWeightsAndCapacities",
    "sns:Publish",
    "sqs:SendMessage",
    "ssm:GetParameter",
}
ACTIONS = {
    "Admit": {
        *STATE,
        *LOG,
        *CONSUME,
        *VERIFY,
        "dynamodb:Query",
        "sagemaker:DescribeModelPackage",
        "sqs:SendMessage",
        "ssm:GetParameter",
    },
    "React": {*LOOP, *CONSUME},
    "Tick": LOOP,
    "Compare": {*STATE, *LOG, *CONSUME, "s3:GetObject", "sagemaker:InvokeEndpoint"},
    "Seed": {*STATE, *LOG, "dynamodb:DeleteItem"},
    "Fleet": {*STATE, *LOG, *STOP_SCALING, "sagemaker:DescribeEndpoint", "sqs:SendMessage", "ssm:GetParameter"},
    "Cleanup": {*STATE, *LOG, *STOP_SCALING, *REMOVE, "dynamodb:DeleteItem", "dynamodb:Query"},
}
ONLY_FOR_ALL = {
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    # Log deliveries and traces of a state machine, which AWS ties to no resources.
    *(f"logs:{verb}LogDelivery" for verb in ("Create", "Delete", "Get", "Update")),
    *("logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "logs:ListLogDeliveries", "logs:PutResourcePolicy"),
    *("xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"),
}


def allowed(template, role):
    """Return what a role may do as action -> resources."""
    found = {}
    for statement in template.statements(role):
        for action in listed(statement["Action"]):
            found.setdefault(action, set()).update(listed(statement["Resource"]))
    return found


def listed(value):
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("function", ACTIONS)
def test_function_has_exactly_its_actions(local, function):
    assert set(allowed(local.rollout, f"{function}Role")) == ACTIONS[function]


@pytest.mark.parametrize("function", ["Admit", "React", "Tick"])
def test_who_verifies_models_seals_nothing_in_their_bucket(local, function):
    (unsealed,) = [
        each["Action"]
        for each in local.rollout.statements(f"{function}Role")
        if "s3" in str(local.rollout.text(each.get("Condition", {})).get("StringEquals", {}).get("kms:ViaService"))
    ]
    assert unsealed == "kms:Decrypt"


def test_every_function_has_a_role_of_its_own(each):
    for template in each.templates.values():
        roles = [str(function["Properties"]["Role"]) for function in template.of_type("AWS::Lambda::Function").values()]
        assert len(roles) == len(set(roles))


def test_no_statement_allows_a_pattern_of_actions(each):
    for template in each.templates.values():
        for statement in template.statements(""):
            assert not any("*" in action for action in listed(statement["Action"])), statement


def test_only_what_aws_forces_is_allowed_on_every_resource(each):
    for template in each.templates.values():
        for statement in template.statements(""):
            if "*" in listed(statement["Resource"]):
                assert set(listed(statement["Action"])) <= ONLY_FOR_ALL, statement


def test_a_function_writes_its_own_log_only(each):
    for template in each.templates.values():
        for name in template.of_type("AWS::Lambda::Function"):
            function = name.split("Function")[0]
            (log,) = allowed(template, f"{function}Role")["logs:PutLogEvents"]
            assert log.startswith(f"<{function}Logs")


@pytest.mark.parametrize("function", ["React", "Tick"])
def test_loop_touches_the_endpoints_and_what_bears_their_names(local, function):
    may = allowed(local.rollout, f"{function}Role")
    base = "arn:aws:sagemaker:us-east-1:123456789012"
    assert may["sagemaker:UpdateEndpointWeightsAndCapacities"] == {f"{base}:endpoint/rain-local"}
    assert may["sagemaker:InvokeEndpoint"] == {f"{base}:endpoint/rain-local"}
    assert may["sagemaker:UpdateEndpoint"] == {f"{base}:endpoint/rain-local", f"{base}:endpoint-config/rain-local-*"}
    assert may["sagemaker:CreateEndpointConfig"] == {f"{base}:endpoint-config/rain-local-*"}
    assert may["sagemaker:CreateModel"] == {f"{base}:model/rain-local-*"}
    assert may["sagemaker:DescribeModelPackage"] == {f"{base}:model-package/rain-local/*"}


HOOKS = [f"arn:aws:lambda:us-east-1:123456789012:function:{name}" for name in ("first", "gate:live", "last:7")]


def asking(environment):
    """Return an environment whose policy names hooks, one of them twice."""
    (rain,) = environment.endpoints
    first, second, *rest = rain.rollout.steps
    first = replace(first, before=Hook(HOOKS[1]), after=Hook(HOOKS[0]))
    steps = (first, replace(second, before=Hook(HOOKS[1])), *(replace(step, after=Hook(HOOKS[2])) for step in rest))
    return replace(environment, endpoints=(replace(rain, rollout=replace(rain.rollout, steps=steps)),))


def test_loop_asks_exactly_the_hooks_that_policies_name(synthesise_changed):
    template = synthesise_changed("local", asking).rollout
    for function in ACTIONS:
        may = allowed(template, f"{function}Role").get("lambda:InvokeFunction", set())
        assert may == (set(HOOKS) if function in ("React", "Tick") else set())


def asking_much(environment):
    """Return an environment with as many hooks as may be."""
    (rain,) = environment.endpoints
    functions = [Hook(f"{HOOKS[0]}-{'x' * 40}-{number:02}") for number in range(40)]
    pairs = zip(range(5, 101, 5), functions[::2], functions[1::2], strict=True)
    steps = tuple(Step(weight, before=before, after=after) for weight, before, after in pairs)
    return replace(environment, endpoints=(replace(rain, rollout=replace(rain.rollout, steps=steps)),))


def test_as_many_hooks_as_may_be_fit_into_policies(synthesise_changed):
    """A role's own policy holds 10,240 characters, a managed one 6,144."""
    made = synthesise_changed("local", asking_much)
    assert 0.9 * HOOKS_LIMIT < len(json.dumps(made.environment.hook_functions)) <= HOOKS_LIMIT
    for kind, limit in (("AWS::IAM::Policy", 10_240), ("AWS::IAM::ManagedPolicy", 6_144)):
        for name, policy in made.rollout.of_type(kind).items():
            document = made.rollout.text(policy["Properties"]["PolicyDocument"])
            assert len(json.dumps(document, separators=(",", ":"))) <= limit, name


@pytest.mark.parametrize("function", ["React", "Tick"])
def test_loop_passes_one_role_to_sagemaker_only(local, function):
    (statement,) = [one for one in local.rollout.statements(f"{function}Role") if one["Action"] == "iam:PassRole"]
    assert statement["Resource"] == "arn:aws:iam::123456789012:role/tidegate-rain-local-us-east-1-exec"
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


def test_the_role_that_is_passed_is_the_one_that_the_registry_makes(each):
    roles = each.registry.of_type("AWS::IAM::Role").values()
    made = {each.registry.text(role["Properties"].get("RoleName")) for role in roles}
    passed = next(one for one in each.rollout.statements("ReactRole") if one["Action"] == "iam:PassRole")["Resource"]
    assert passed.split("role/")[1] in made
    model = each.serving.one("AWS::SageMaker::Model")
    assert each.serving.text(model["ExecutionRoleArn"]) == passed


def test_scaling_is_narrowed_to_sagemaker(each):
    for function in ("React", "Tick", "Fleet", "Cleanup"):
        (statement,) = [
            one
            for one in each.rollout.statements(f"{function}Role")
            if "application-autoscaling:DeregisterScalableTarget" in one["Action"]
        ]
        assert statement["Condition"] == {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}}


def test_containers_read_their_own_models_and_write_their_own_captures(local):
    may = allowed(local.registry, "EndpointrainRole")
    assert may["s3:GetObject"] == {
        "<ArtefactsBucket44D43D7B.Arn>/rain-local/*",
        "arn:aws:s3:::cdk-hnb659fds-assets-123456789012-us-east-1/*.tar.gz",
        *BATCHES_READ,
    }
    assert may["s3:PutObject"] == {"<ArtefactsBucket44D43D7B.Arn>/capture/rain-local/*", BATCHES_WRITTEN}
    assert may["ecr:BatchGetImage"] == {
        "arn:aws:ecr:us-east-1:123456789012:repository/cdk-hnb659fds-container-assets-123456789012-us-east-1"
    }


def test_containers_of_endpoints_without_batches_know_nothing_of_them(each):
    if each.environment.environment != "local":
        resources = set().union(*allowed(each.registry, "EndpointrainRole").values())
        assert not [resource for resource in resources if "/batch" in resource or "TransformJobs" in resource]


def test_containers_write_metrics_of_endpoints_only(each):
    statements = each.registry.statements("EndpointrainRole")
    (statement,) = [one for one in statements if one["Action"] == "cloudwatch:PutMetricData"]
    namespaces = ["AWS/SageMaker", "/aws/sagemaker/Endpoints"]
    assert statement["Condition"] == {"StringEquals": {"cloudwatch:namespace": namespaces}}


def test_sagemaker_takes_the_execution_role_for_this_account_only(each):
    (role,) = [
        role["Properties"]
        for name, role in each.registry.of_type("AWS::IAM::Role").items()
        if name.startswith("EndpointrainRole")
    ]
    (statement,) = each.registry.text(role["AssumeRolePolicyDocument"])["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_execution_roles_of_two_regions_have_two_names(each):
    """Roles are the same in every region of an account."""
    (name,) = [
        each.registry.text(role["Properties"]["RoleName"])
        for role in each.registry.of_type("AWS::IAM::Role").values()
        if "RoleName" in role["Properties"]
    ]
    endpoint = each.environment.endpoints[0].full_name(each.environment.environment)
    assert name == f"tidegate-{endpoint}-{each.environment.region or 'eu-west-1'}-exec"


def test_only_environments_that_keep_nothing_can_empty_the_registry(each):
    has_function = any(name.startswith("EmptyFunction") for name in each.registry.body["Resources"])
    assert has_function is not each.environment.retain_data
    if has_function:
        may = allowed(each.registry, "EmptyRole")
        assert may["s3:DeleteObjectVersion"] == {
            "<ArtefactsBucket44D43D7B.Arn>/*",
            "<ArtefactsAccessLogs62F8C1E7.Arn>/*",
        }
        assert may["cloudformation:DescribeStacks"] == {"<AWS::StackId>"}


def test_each_acknowledged_wildcard_is_there(each):
    from stacks.acknowledgements import acknowledged

    for one in acknowledged(each.environment):
        if "Resource::" not in one.rule:
            continue
        stack, *path = one.path.split("/Role/")[0].split("/")
        wanted = one.rule.partition("Resource::")[2].removesuffix("]").replace("<AWS::Partition>", "aws")
        wanted = wanted.replace("<AWS::Region>", "eu-west-1").replace("<AWS::AccountId>", "123456789012")
        role = "".join(path).replace("-", "") + "Role"
        resources = set().union(*allowed(each.templates[stack], role).values())
        assert wanted in resources, one
