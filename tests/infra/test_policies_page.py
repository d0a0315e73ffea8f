"""The policies that docs/policies.md shows can be deployed, and the hook that it shows can answer."""

import re
from typing import Any

import pytest
import yaml

from lambdas.rollout.policy.strategies import STRATEGIES
from stacks.config import ENVIRONMENTS, ROOT, load_environment
from stacks.config.schema import environment_schema

PAGE = (ROOT / "docs" / "policies.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


POLICIES = [yaml.safe_load(block)["rollout"] for block in blocks("yaml")]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Dev's file with an endpoint for every policy of the page."""
    body = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    (rain,) = body["endpoints"]
    body |= {"account": "123456789012", "region": "eu-west-1"}
    body["endpoints"] = [{**rain, "name": f"e{index}", "rollout": policy} for index, policy in enumerate(POLICIES)]
    folder = tmp_path_factory.mktemp("environments")
    (folder / "dev.yaml").write_text(yaml.safe_dump(body))
    return load_environment("dev", folder)


def test_every_strategy_is_shown():
    assert {policy["strategy"] for policy in POLICIES} == set(STRATEGIES)


def test_every_policy_can_be_deployed(environment, synthesise_changed):
    made = synthesise_changed("dev", lambda _: environment)
    for endpoint in environment.endpoints:
        assert made.templates[f"Serving-{endpoint.name}"].one("AWS::SSM::Parameter")
    asked = [one for one in made.rollout.statements("ReactRole") if one["Action"] == "lambda:InvokeFunction"]
    assert [statement["Resource"] for statement in asked] == environment.hook_functions


def test_every_gate_that_there_is_is_told_of():
    policy = environment_schema()["properties"]["endpoints"]["items"]["properties"]["rollout"]["properties"]
    named = {word for code in re.findall(r"`([^`\n]+)`", PAGE) for word in re.findall(r"\w+", code)}
    shown = {name for block in POLICIES for name in block}
    assert set(policy) - {"smoke_test"} <= named | shown


QUESTION: dict[str, Any] = {
    "id": "rain-dev/1/0/after",
    "endpoint": "rain-dev",
    "rollout": "1",
    "version": "0.9.0",
    "step": 0,
    "weight": 10,
    "when": "after",
}


@pytest.mark.parametrize(("weight", "decision"), [(10, "go"), (100, "no-go")])
def test_hook_answers(weight, decision):
    (source,) = blocks("python")
    names: dict[str, Any] = {}
    exec(source, names)
    answer = names["handler"]({**QUESTION, "weight": weight}, None)
    assert answer["decision"] == decision
    assert answer["reason"]
