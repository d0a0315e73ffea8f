"""AWS::ApplicationAutoScaling: scalable targets and scaling policies."""

from typing import ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.shape import only, without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_map

_SERVICE = "application-autoscaling"
_GONE = "ObjectNotFoundException"
_IDENTITY = ("ResourceId", "ScalableDimension", "ServiceNamespace")


class ScalableTarget(ResourceType):
    """A resource that may be scaled."""

    name: ClassVar[str] = "AWS::ApplicationAutoScaling::ScalableTarget"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"MaxCapacity", "MinCapacity", "RoleARN", "ScheduledActions", "SuspendedState", "Tags", *_IDENTITY}
    )
    required: ClassVar[frozenset[str]] = frozenset({"MaxCapacity", "MinCapacity", *_IDENTITY})
    replaced_by: ClassVar[frozenset[str]] = frozenset(_IDENTITY)
    attributes: ClassVar[frozenset[str]] = frozenset({"Id"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Register the target with its tags, and schedule its actions."""
        settings = without(desired, "ScheduledActions", "Tags")
        scope.call(_SERVICE, "RegisterScalableTarget", **settings, Tags=tag_map(desired.get("Tags")))
        identifier = "|".join(desired[part] for part in _IDENTITY)
        made = scope.note(identifier, Id=identifier)
        _schedule(scope, {}, desired)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Register the target again, which changes it; bounds that an action has set stay if the template's do."""
        settings = without(new, "ScheduledActions", "Tags")
        if without(old, "ScheduledActions", "Tags") != settings:
            scope.call(_SERVICE, "RegisterScalableTarget", **settings)
        _tag(scope, old, new)
        _schedule(scope, old, new)
        return made

    def delete(self, scope: Scope, _made: Made, properties: Properties) -> None:
        """Deregister the target."""
        with ignoring(_GONE):
            scope.call(_SERVICE, "DeregisterScalableTarget", **only(properties, *_IDENTITY))


def _tag(scope: Scope, old: Properties, new: Properties) -> None:
    """Change the tags, for which the API wants the target's ARN."""
    to_set, to_remove = tag_changes(old, new)
    if not to_set and not to_remove:
        return
    named = {"ServiceNamespace": new["ServiceNamespace"], "ResourceIds": [new["ResourceId"]]}
    (target,) = scope.call(_SERVICE, "DescribeScalableTargets", **named)["ScalableTargets"]
    arn = target["ScalableTargetARN"]
    if to_set:
        scope.call(_SERVICE, "TagResource", ResourceARN=arn, Tags=to_set)
    if to_remove:
        scope.call(_SERVICE, "UntagResource", ResourceARN=arn, TagKeys=to_remove)


def _schedule(scope: Scope, old: Properties, new: Properties) -> None:
    """Put the actions that differ, and delete those that are gone."""
    target = only(new, *_IDENTITY)
    before, after = ({each["ScheduledActionName"]: each for each in p.get("ScheduledActions", [])} for p in (old, new))
    for name in sorted(set(before) - set(after)):
        with ignoring(_GONE):
            scope.call(_SERVICE, "DeleteScheduledAction", **target, ScheduledActionName=name)
    for name, action in after.items():
        if before.get(name) != action:
            scope.call(_SERVICE, "PutScheduledAction", **target, **action)


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
