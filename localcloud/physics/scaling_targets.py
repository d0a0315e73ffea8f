"""Scalable targets as records, and how requests name them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.errors import NotSimulatedError
from localcloud.physics.scalable import KINDS, Kind
from localcloud.physics.times import to_datetime


@dataclass
class Target:
    """A scalable target."""

    kind: Kind
    resource_id: str
    arn: str
    role_arn: str
    created_at: float
    minimum: int
    maximum: int
    suspended: dict[str, bool]
    tags: dict[str, str]
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    scaled_at: float = -math.inf
    scaled_out_at: float = -math.inf

    def place(self) -> tuple[str, str]:
        """Return the two names in the resource's id, such as those of endpoint and variant."""
        return self.kind.place(self.resource_id)


def kind_of(request: Mapping[str, Any]) -> Kind:
    """Return the kind of resource that a request names."""
    found = KINDS.get((request["ServiceNamespace"], request["ScalableDimension"]))
    if found is None:
        raise NotSimulatedError(f"autoscaling of {request['ServiceNamespace']} {request['ScalableDimension']}")
    return found


def fits(target: Target, request: Mapping[str, Any]) -> bool:
    """Whether a target is of the namespace and dimension that are asked for."""
    kind = target.kind
    return request.get("ServiceNamespace") in (None, kind.namespace) and request.get("ScalableDimension") in (
        None,
        kind.dimension,
    )


def named(request: Mapping[str, Any]) -> str:
    """Return what a request names, as messages write it."""
    return (
        f"service namespace: {request['ServiceNamespace']}, resource ID: {request['ResourceId']}, "
        f"scalable dimension: {request['ScalableDimension']}"
    )


def described(target: Target) -> dict[str, Any]:
    """Return a target as DescribeScalableTargets gives it."""
    return {
        "ServiceNamespace": target.kind.namespace,
        "ResourceId": target.resource_id,
        "ScalableDimension": target.kind.dimension,
        "MinCapacity": target.minimum,
        "MaxCapacity": target.maximum,
        "RoleARN": target.role_arn,
        "CreationTime": to_datetime(target.created_at),
        "SuspendedState": dict(target.suspended),
        "ScalableTargetARN": target.arn,
    }
