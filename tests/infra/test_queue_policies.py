"""SQS takes the policy of every queue, however many rules send to it."""

import json
import re
from dataclasses import replace

import pytest

from localcloud.deploy.names import physical_name
from localcloud.front.conditions import arn_matches
from stacks.config import environment_names
from stacks.config.door_sizes import too_many
from stacks.config.lengths import too_long
from tests.infra.asynchronous import OWN
from tests.infra.conftest import ACCOUNT, REGION
from tests.infra.front_doors import KEYED, listed

MOST_STATEMENTS, MOST_BYTES = 20, 8192
LONGEST_ARN = f"arn:aws-us-gov:sqs:ap-southeast-2:{ACCOUNT}:{'x' * 80}"


def policies(synthesised):
    """Yield the document of every queue's policy, once deployed, with the name of what bears it."""
    for template in synthesised.templates.values():
        for name, each in template.of_type("AWS::SQS::QueuePolicy").items():
            yield name, template.text(each["Properties"]["PolicyDocument"])


def check(synthesised):
    for name, document in policies(synthesised):
        statements = document["Statement"]
        assert len(statements) <= MOST_STATEMENTS, name
        assert len(re.sub(r"<\w+\.\w+>", LONGEST_ARN, json.dumps(document))) <= MOST_BYTES, name
        sids = [each["Sid"] for each in statements if "Sid" in each]
        assert len(sids) == len(set(sids)), name


def crowded(environment, **settings):
    """Return the environment with as many endpoints with these settings as may be."""
    (rain,) = environment.endpoints
    endpoint = replace(rain, **settings)

    def of(number):
        return replace(environment, endpoints=tuple(replace(endpoint, name=f"e{each}") for each in range(number)))

    return next(of(number) for number in range(30, 0, -1) if not any((*too_many(of(number)), *too_long(of(number)))))


def test_sqs_takes_the_policies_of_every_environment(each):
    check(each)


FULL = replace(KEYED, keep_warm=True, jobs=replace(KEYED.jobs, asynchronous=OWN))
"""What has most rules; `batch` runs by a schedule."""

ONLY_BATCHES = replace(KEYED, jobs=None, stream=None, audit=None, batch=replace(KEYED.batch, serve=None))
"""Of these a stack holds more."""


@pytest.mark.parametrize("door", [FULL, ONLY_BATCHES], ids=["full", "batches"])
def test_sqs_takes_the_policies_of_as_many_front_doors_as_may_be(synthesise_changed, door):
    crowd = synthesise_changed("local", lambda environment: crowded(environment, front_door=door))
    rules = crowd.inference.of_type("AWS::Events::Rule")
    assert len(rules) > MOST_STATEMENTS - 1, "too few to tell"
    check(crowd)


def test_sqs_takes_the_policies_of_as_many_monitored_endpoints_as_may_be(synthesise_changed):
    crowd = synthesise_changed("loop", lambda environment: crowded(environment, front_door=None))
    assert len(crowd.monitoring.of_type("AWS::Events::Rule")) == len(crowd.environment.endpoints) > 5
    check(crowd)


def lost_events(template):
    """Return the statement that lets rules put what they could not deliver."""
    for policy in template.of_type("AWS::SQS::QueuePolicy").values():
        for statement in template.text(policy["Properties"]["PolicyDocument"]["Statement"]):
            if statement.get("Sid") == "UndeliveredEvents":
                return statement
    raise LookupError


@pytest.mark.parametrize("environment", [*environment_names(), "longestname1"])
def test_rules_may_put_what_they_could_not_deliver(synthesised, synthesise_changed, environment):
    """Their names are CloudFormation's, which cuts the names of stacks that are long."""
    if environment in synthesised:
        found = synthesised[environment]
    else:
        found = synthesise_changed("loop", lambda given: replace(given, environment=environment))
    for stack, template in found.templates.items():
        rules = template.of_type("AWS::Events::Rule")
        if not rules:
            continue
        statement = lost_events(template)
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert listed(statement["Action"]) == ["sqs:SendMessage"]
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": found.environment.account or ACCOUNT}
        pattern = statement["Condition"]["ArnLike"]["aws:SourceArn"]
        assert f":rule/tidegate-{found.environment.environment}-" in pattern, "other environments' rules may not"
        for logical_id, rule in rules.items():
            assert "Name" not in rule["Properties"]
            (target,) = template.text(rule["Properties"]["Targets"])
            assert target["DeadLetterConfig"]["Arn"] == statement["Resource"], logical_id
            name = physical_name(f"tidegate-{environment}-{stack}", logical_id, limit=64)
            place = f"{found.environment.region or REGION}:{found.environment.account or ACCOUNT}"
            assert arn_matches(pattern, f"arn:aws:events:{place}:rule/{name}"), name
