"""AWS::Events: rules and their targets."""

import json
from typing import Any, ClassVar

from localcloud.deploy.errors import ResourceFailedError
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.shape import only
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_list, tag_map

_GONE = "ResourceNotFoundException"


class Rule(ResourceType):
    """A rule with its targets."""

    name: ClassVar[str] = "AWS::Events::Rule"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"Description", "EventBusName", "EventPattern", "Name", "RoleArn", "ScheduleExpression", "State", "Tags",
         "Targets"}
    )  # fmt: skip
    replaced_by: ClassVar[frozenset[str]] = frozenset({"Name"})
    name_property: ClassVar[str | None] = "Name"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn", "RuleName"})
    tag_form: ClassVar[str | None] = "list"

    def replaces(self, changed: frozenset[str], old: Properties, new: Properties) -> bool:
        """Another bus makes a new rule, though the schema does not say so."""
        return "EventBusName" in changed or super().replaces(changed, old, new)

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Put the rule, then its targets."""
        rule = desired.get("Name") or scope.name(64)
        bus = desired.get("EventBusName")
        arn = _put_rule(scope, rule, desired, tag_list(tag_map(desired.get("Tags"))) or None)
        physical_id = f"{bus}|{rule}" if bus and bus != "default" else rule
        made = scope.note(physical_id, Arn=arn, RuleName=rule)
        _set_targets(scope, rule, {}, desired)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Put the rule again; put and remove targets."""
        rule = made.attributes["RuleName"]
        if _settings(old) != _settings(new):
            _put_rule(scope, rule, new, None)
        _set_targets(scope, rule, old, new)
        to_set, removed = tag_changes(old, new)
        if to_set:
            scope.call("events", "TagResource", ResourceARN=made.attributes["Arn"], Tags=tag_list(to_set))
        if removed:
            scope.call("events", "UntagResource", ResourceARN=made.attributes["Arn"], TagKeys=removed)
        return made

    def delete(self, scope: Scope, made: Made, properties: Properties) -> None:
        """Remove the targets, then the rule."""
        rule = made.attributes["RuleName"]
        with ignoring(_GONE):
            _set_targets(scope, rule, properties, {"EventBusName": properties.get("EventBusName")})
            scope.call("events", "DeleteRule", Name=rule, EventBusName=properties.get("EventBusName"))


def _settings(properties: Properties) -> dict[str, Any]:
    return only(properties, "Description", "EventBusName", "EventPattern", "RoleArn", "ScheduleExpression", "State")


def _put_rule(scope: Scope, rule: str, properties: Properties, tags: Any) -> str:
    settings = _settings(properties)
    if not isinstance(settings.get("EventPattern", ""), str):
        settings["EventPattern"] = json.dumps(settings["EventPattern"])
    return str(scope.call("events", "PutRule", Name=rule, Tags=tags, **settings)["RuleArn"])


def _targets(properties: Properties) -> dict[str, Any]:
    return {target["Id"]: target for target in properties.get("Targets", [])}


def _set_targets(scope: Scope, rule: str, old: Properties, new: Properties) -> None:
    bus = new.get("EventBusName")
    before, after = _targets(old), _targets(new)
    wanted = [target for name, target in after.items() if before.get(name) != target]
    if wanted:
        _succeed(scope.call("events", "PutTargets", Rule=rule, EventBusName=bus, Targets=wanted))
    gone = sorted(set(before) - set(after))
    if gone:
        _succeed(scope.call("events", "RemoveTargets", Rule=rule, EventBusName=bus, Ids=gone))


def _succeed(answer: dict[str, Any]) -> None:
    """Raise for entries that failed: these operations answer 200 all the same."""
    if answer.get("FailedEntryCount"):
        raise ResourceFailedError(f"targets failed: {answer['FailedEntries']}")
