"""A SageMaker model of one's own, made of what the live version's says. Pure.

The models of an endpoint are the rollout engine's, which removes each once its version is neither live nor the way
back: after two promotions. Whoever needs a version for longer makes a model of its own from the same description, which
names the same files and the same container, and removes it when it is done with it.
"""

from collections.abc import Mapping
from typing import Any

from lambdas.rollout.actions import CreateModel
from lambdas.rollout.configs import model_request

_ITS_OWN = ("ModelName", "Tags")


def description(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a model what it is, of what DescribeModel says of one; it is JSON.

    Without its captures: what others than the endpoint's callers ask is none of its traffic, and would look like drift.
    """
    clone = CreateModel(
        name="",
        source_config="",
        source_slot="",
        container=None,
        image="",
        network_isolation=bool(found.get("EnableNetworkIsolation")),
        execution_role_arn=found["ExecutionRoleArn"],
        tags={},
    )
    return {name: value for name, value in model_request(found, clone).items() if name not in _ITS_OWN}


def creation(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request for a model of that name and description."""
    return {"ModelName": name, **described}
