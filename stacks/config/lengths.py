"""Limits on lengths that AWS would tell of only in the middle of a deploy."""

import json
from collections.abc import Iterator

from lambdas import contract
from stacks.config.model import Environment
from stacks.config.problems import Problem

ROLE_NAME_LIMIT = 64
PATTERN_LIMIT = 2048
"""Characters of an EventBridge rule's pattern."""

_LONGEST_REGION = "ap-southeast-1"
_LONGEST_ALARM_ARN = f"arn:aws-us-gov:cloudwatch:{_LONGEST_REGION}:{'0' * 12}:alarm:"


def execution_role_name(endpoint_name: str, region: str) -> str:
    """Return the name of the role under which an endpoint's containers run; roles are the same in every region."""
    return f"tidegate-{endpoint_name}-{region}-exec"


def too_long(environment: Environment) -> Iterator[Problem]:
    """Yield what in an environment makes something longer than AWS allows."""
    yield from _role_names(environment)
    yield from _patterns(environment)


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
