"""AWS::StepFunctions: state machines."""

from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.shape import only
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_map

_SETTINGS = {
    "RoleArn": "roleArn",
    "DefinitionString": "definition",
    "LoggingConfiguration": "loggingConfiguration",
    "TracingConfiguration": "tracingConfiguration",
    "EncryptionConfiguration": "encryptionConfiguration",
}
_FIXED = ("StateMachineName", "StateMachineType")
_NAME_LIMIT = 80


class StateMachine(ResourceType):
    """A state machine; `Ref` is its ARN."""

    name: ClassVar[str] = "AWS::StepFunctions::StateMachine"
    handled: ClassVar[frozenset[str]] = frozenset({*_FIXED, *_SETTINGS, "Tags"})
    required: ClassVar[frozenset[str]] = frozenset({"RoleArn"})
    replaced_by: ClassVar[frozenset[str]] = frozenset(_FIXED)
    name_property: ClassVar[str | None] = "StateMachineName"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn", "Name", "StateMachineRevisionId"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the state machine."""
        name = desired.get("StateMachineName") or scope.name(_NAME_LIMIT)
        kind, tags = desired.get("StateMachineType", "STANDARD"), _tags(tag_map(desired.get("Tags")))
        made = scope.call("stepfunctions", "CreateStateMachine", name=name, type=kind, tags=tags, **_settings(desired))
        return _made(scope, made["stateMachineArn"])

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set definition, role and settings; executions that have begun are not touched."""
        arn = made.physical_id
        scope.call("stepfunctions", "UpdateStateMachine", stateMachineArn=arn, **_settings(new))
        to_set, removed = tag_changes(old, new)
        if to_set:
            scope.call("stepfunctions", "TagResource", resourceArn=arn, tags=_tags(to_set))
        if removed:
            scope.call("stepfunctions", "UntagResource", resourceArn=arn, tagKeys=removed)
        return _made(scope, arn)

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the state machine."""
        with ignoring("StateMachineDoesNotExist"):
            scope.call("stepfunctions", "DeleteStateMachine", stateMachineArn=made.physical_id)


def _made(scope: Scope, arn: str) -> Made:
    found = scope.call("stepfunctions", "DescribeStateMachine", stateMachineArn=arn)
    return scope.note(arn, Arn=arn, Name=found["name"], StateMachineRevisionId=found["revisionId"])


def _settings(properties: Properties) -> dict[str, Any]:
    return {_SETTINGS[name]: _lowered(value) for name, value in only(properties, *_SETTINGS).items()}


def _lowered(value: Any) -> Any:
    """Return a structure as the API names its fields: as templates do, but for the first letter."""
    if isinstance(value, list):
        return [_lowered(item) for item in value]
    if isinstance(value, Mapping):
        return {name[0].lower() + name[1:]: _lowered(item) for name, item in value.items()}
    return value


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]
