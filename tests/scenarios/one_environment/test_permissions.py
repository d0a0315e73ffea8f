"""The functions run under the synthesised policies: what those do not allow is refused, by name."""

import json
from pathlib import Path

from stacks.config import Environment
from tests.scenarios.loop import Loop

ACTION = "sagemaker:UpdateEndpointWeightsAndCapacities"


def remove_action(assembly: Path) -> None:
    """Take the action out of every policy of the assembly's templates."""
    removed = 0
    for path in assembly.rglob("*.template.json"):
        template = json.loads(path.read_text())
        for resource in template["Resources"].values():
            if resource["Type"] not in ("AWS::IAM::Policy", "AWS::IAM::Role"):
                continue
            for statement in statements(resource["Properties"]):
                actions = statement["Action"]
                if isinstance(actions, list) and ACTION in actions:
                    actions.remove(ACTION)
                    removed += 1
        path.write_text(json.dumps(template))
    assert removed, f"no policy allows {ACTION}"


def statements(properties: dict) -> list[dict]:
    documents = [each["PolicyDocument"] for each in properties.get("Policies", [])]
    documents += [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
    return [statement for document in documents for statement in document["Statement"]]


def test_an_action_missing_from_a_role_is_denied_and_named(loop: Loop, environment: Environment) -> None:
    loop.deploy(environment, remove_action)
    live = loop.weights()
    with loop.traffic():
        loop.approve("1.1.0", "1.1.9")
        loop.wait_for(lambda: ACTION in loop.function_logs(), f"a log line about {ACTION}")
    text = loop.function_logs()
    assert "AccessDenied" in text
    endpoint = loop.describe()["EndpointArn"]
    assert f"is not authorized to perform: {ACTION} on resource: {endpoint}" in text
    assert live.items() <= loop.weights().items()
