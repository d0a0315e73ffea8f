"""AWS::ApplicationAutoScaling: scalable targets and scaling policies."""

from typing import ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.shape import only, without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made

_SERVICE = "application-autoscaling"
_GONE = "ObjectNotFoundException"
_IDENTITY = ("ResourceId", "ScalableDimension", "ServiceNamespace")


class ScalableTarget(ResourceType):
    """A resource that may be scaled."""

    name: ClassVar[str] = "AWS::ApplicationAutoScaling::ScalableTarget"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"MaxCapacity", "MinCapacity", "RoleARN", "SuspendedState", *_IDENTITY}
    )
    required: ClassVar[frozenset[str]] = frozenset({"MaxCapacity", "MinCapacity", *_IDENTITY})
    replaced_by: ClassVar[frozenset[str]] = frozenset(_IDENTITY)
    attributes: ClassVar[frozenset[str]] = frozenset({"Id"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Register the target."""
        scope.call(_SERVICE, "RegisterScalableTarget", **desired)
        identifier = "|".join(desired[part] for part in _IDENTITY)
        return Made(identifier, {"Id": identifier})

    def update(self, scope: Scope, _made: Made, _old: Properties, new: Properties) -> Made:
        """Register the target again, which changes it."""
        return self.create(scope, new)

    def delete(self, scope: Scope, _made: Made, properties: Properties) -> None:
        """Deregister the target."""
        with ignoring(_GONE):
            scope.call(_SERVICE, "DeregisterScalableTarget", **only(properties, *_IDENTITY))


class ScalingPolicy(ResourceType):
    """How a scalable target is scaled."""

    name: ClassVar[str] = "AWS::ApplicationAutoScaling::ScalingPolicy"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"PolicyName", "PolicyType", "ScalingTargetId", "StepScalingPolicyConfiguration",
         "TargetTrackingScalingPolicyConfiguration", *_IDENTITY}
    )  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset({"PolicyName", "PolicyType"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"PolicyName", "ScalingTargetId", *_IDENTITY})
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn"})

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Put the policy."""
        settings = {**_target(desired), **without(desired, "ScalingTargetId", *_IDENTITY)}
        arn = scope.call(_SERVICE, "PutScalingPolicy", **settings)["PolicyARN"]
        return Made(arn, {"Arn": arn})

    def update(self, scope: Scope, _made: Made, _old: Properties, new: Properties) -> Made:
        """Put the policy again."""
        return self.create(scope, new)

    def delete(self, scope: Scope, _made: Made, properties: Properties) -> None:
        """Delete the policy."""
        with ignoring(_GONE):
            which = {**_target(properties), "PolicyName": properties["PolicyName"]}
            scope.call(_SERVICE, "DeleteScalingPolicy", **which)


def _target(properties: Properties) -> dict[str, str]:
    if "ScalingTargetId" not in properties:
        return only(properties, *_IDENTITY)
    return dict(zip(_IDENTITY, properties["ScalingTargetId"].split("|"), strict=True))
