"""A SageMaker model of one's own, made of what the live version's says. Pure.

The models of an endpoint are the rollout engine's, which removes each once its version is neither live nor the way
back: after two promotions. Whoever needs a version for longer makes a model of its own from the same description, which
names the same files and the same container, and removes it when it is done with it.
"""

from collections.abc import Mapping
from typing import Any

_KEPT = ("PrimaryContainer", "ExecutionRoleArn", "EnableNetworkIsolation", "VpcConfig")


def description(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a model what it is, of what DescribeModel says of one; it is JSON."""
    kept = {name: found[name] for name in _KEPT if name in found}
    container = dict(kept.get("PrimaryContainer") or {})
    if "ModelDataUrl" in container:
        # SageMaker shows the same archive under both names, and takes only one.
        container.pop("ModelDataSource", None)
    return {**kept, "PrimaryContainer": container}


def creation(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request for a model of that name and description."""
    return {"ModelName": name, **described}
