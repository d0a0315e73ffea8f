"""Limits on lengths that AWS would tell of only in the middle of a deploy."""

import json
from collections.abc import Iterator

from lambdas import contract
from stacks.config.model import Endpoint, Environment
from stacks.config.problems import Problem
from stacks.config.settings import Places, settings_of, size_of

ROLE_NAME_LIMIT = 64
PATTERN_LIMIT = 2048
"""Characters of an EventBridge rule's pattern."""

PARAMETER_LIMIT = 8192
"""Bytes of an advanced parameter."""

HOOKS_LIMIT = 4096
"""Characters of the hooks' ARNs in all. They stand in one statement, and a managed policy, into which the CDK moves
what is too much for a role's own, has 6,144."""

_LONGEST_REGION = "ap-southeast-1"
_LONGEST_ACCOUNT = "0" * 12
_LONGEST_ALARM_ARN = f"arn:aws-us-gov:cloudwatch:{_LONGEST_REGION}:{_LONGEST_ACCOUNT}:alarm:"


def execution_role_name(endpoint_name: str, region: str) -> str:
    """Return the name of the role under which an endpoint's containers run; roles are the same in every region."""
    return f"tidegate-{endpoint_name}-{region}-exec"


def too_long(environment: Environment) -> Iterator[Problem]:
    """Yield what in an environment makes something longer than AWS allows."""
    yield from _role_names(environment)
    yield from _patterns(environment)
    yield from _parameters(environment)
    yield from _hooks(environment)


def _role_names(environment: Environment) -> Iterator[Problem]:
    for index, endpoint in enumerate(environment.endpoints):
        full_name = endpoint.full_name(environment.environment)
        name = execution_role_name(full_name, environment.region or _LONGEST_REGION)
        if len(name) > ROLE_NAME_LIMIT:
            yield Problem(
                f"endpoints[{index}].name",
                endpoint.name,
                f"the name of its role, {name}, is longer than the {ROLE_NAME_LIMIT} characters of IAM",
                f"shorten it by {len(name) - ROLE_NAME_LIMIT}",
            )


def _patterns(environment: Environment) -> Iterator[Problem]:
    """Of all patterns that of the alarms is the longest: it names two ARNs for each endpoint."""
    length = len(json.dumps({"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}))
    for index, endpoint in enumerate(environment.endpoints):
        name = endpoint.full_name(environment.environment)
        alarms = [_LONGEST_ALARM_ARN + contract.unhealthy_alarm(name, slot) for slot in contract.SLOTS]
        length += len(json.dumps(alarms))
        if length > PATTERN_LIMIT:
            yield Problem(
                "endpoints",
                f"{len(environment.endpoints)} endpoints",
                f"a rule's pattern has {PATTERN_LIMIT} characters, in which the alarms of {index} find room",
                "split them over two environments",
            )
            return


def parameter_sizes(environment: Environment) -> Iterator[tuple[int, int]]:
    """Yield the number of each endpoint and how many bytes its settings come to at most."""
    for index, endpoint in enumerate(environment.endpoints):
        places = _longest_places(endpoint, environment)
        yield index, size_of(settings_of(endpoint, environment.environment, places))


def _parameters(environment: Environment) -> Iterator[Problem]:
    for index, size in parameter_sizes(environment):
        if size > PARAMETER_LIMIT:
            yield Problem(
                f"endpoints[{index}].rollout",
                f"{size} bytes",
                f"an endpoint's settings must fit into the {PARAMETER_LIMIT} bytes of a parameter",
                f"save {size - PARAMETER_LIMIT}: a shorter smoke_test.body, fewer steps or hooks",
            )


def _longest_places(endpoint: Endpoint, environment: Environment) -> Places:
    account, region = environment.account or _LONGEST_ACCOUNT, environment.region or _LONGEST_REGION
    name, place = endpoint.full_name(environment.environment), f"{account}-{region}"
    repository = f"{account}.dkr.ecr.{region}.amazonaws.com.cn/cdk-hnb659fds-container-assets-{place}"
    bucket = f"tidegate-{environment.environment}-artefacts-{place}"
    return Places(
        image=f"{repository}:{'0' * 64}",
        image_repository=repository,
        execution_role_arn=f"arn:aws-us-gov:iam::{account}:role/{execution_role_name(name, region)}",
        artefact_bucket=bucket,
        capture_destination=f"s3://{bucket}/capture/{name}",
        signing_key=f"arn:aws-us-gov:kms:{region}:{account}:alias/tidegate-{environment.environment}-signing",
        signatures=environment.signatures,
    )


def _hooks(environment: Environment) -> Iterator[Problem]:
    functions = environment.hook_functions
    length = len(json.dumps(functions))
    if length > HOOKS_LIMIT:
        yield Problem(
            "endpoints",
            f"{len(functions)} hook functions",
            f"the policy that lets them be asked has {HOOKS_LIMIT} characters for their ARNs, which take {length}",
            "let one function answer for several steps: it is told which step asks",
        )
