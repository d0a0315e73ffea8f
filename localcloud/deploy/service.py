"""CloudFormation's read operations over what the deployer knows."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from localcloud.deploy.state import ResourceState, StackState
from localcloud.errors import AwsError
from localcloud.service import Service, operation

Parameters = Mapping[str, Any]


class CloudFormationService(Service):
    """Answers questions about the stacks; they are changed through the deployer only."""

    name: ClassVar[str] = "cloudformation"

    def __init__(self, stacks: Mapping[str, StackState]) -> None:
        self._stacks = stacks

    @operation("DescribeStacks")
    def describe_stacks(self, parameters: Parameters) -> dict[str, Any]:
        """Describe one stack or all."""
        return {"Stacks": [_stack(stack) for stack in self._chosen(parameters)]}

    @operation("ListStacks")
    def list_stacks(self, parameters: Parameters) -> dict[str, Any]:
        """List the stacks, those of some statuses if asked for."""
        wanted = parameters.get("StackStatusFilter")
        stacks = [stack for stack in list(self._stacks.values()) if not wanted or stack.status in wanted]
        return {"StackSummaries": [_summary(stack) for stack in stacks]}

    @operation("DescribeStackResources")
    def describe_stack_resources(self, parameters: Parameters) -> dict[str, Any]:
        """Describe the resources of a stack."""
        resources = self._resources(parameters)
        return {"StackResources": [_resource(stack, state, "Timestamp") for stack, state in resources]}

    @operation("ListStackResources")
    def list_stack_resources(self, parameters: Parameters) -> dict[str, Any]:
        """List the resources of a stack."""
        resources = self._resources(parameters)
        summaries = [_resource(stack, state, "LastUpdatedTimestamp") for stack, state in resources]
        return {"StackResourceSummaries": [_without_stack(summary) for summary in summaries]}

    @operation("DescribeStackEvents")
    def describe_stack_events(self, parameters: Parameters) -> dict[str, Any]:
        """Tell the history of a stack, the newest first."""
        stack = self._one(parameters)
        events = [
            {
                "StackId": stack.id,
                "EventId": f"{stack.name}-{number}",
                "StackName": stack.name,
                "LogicalResourceId": event.logical_id,
                "PhysicalResourceId": event.physical_id,
                "ResourceType": event.type,
                "Timestamp": _time(event.at),
                "ResourceStatus": event.status,
                **({"ResourceStatusReason": event.reason} if event.reason else {}),
            }
            for number, event in enumerate(stack.events)
        ]
        return {"StackEvents": events[::-1]}

    @operation("GetTemplate")
    def get_template(self, parameters: Parameters) -> dict[str, Any]:
        """Return the template that was deployed last."""
        return {"TemplateBody": json.dumps(self._one(parameters).template), "StagesAvailable": ["Original"]}

    @operation("ListExports")
    def list_exports(self, _parameters: Parameters) -> dict[str, Any]:
        """List the exports of all stacks."""
        return {
            "Exports": [
                {"ExportingStackId": stack.id, "Name": name, "Value": str(value)}
                for stack in list(self._stacks.values())
                for name, value in stack.exports.items()
            ]
        }

    def _chosen(self, parameters: Parameters) -> list[StackState]:
        return [self._one(parameters)] if parameters.get("StackName") else list(self._stacks.values())

    def _one(self, parameters: Parameters) -> StackState:
        wanted = parameters["StackName"]
        for stack in list(self._stacks.values()):
            if wanted in (stack.name, stack.id):
                return stack
        raise AwsError("ValidationError", f"Stack with id {wanted} does not exist")

    def _resources(self, parameters: Parameters) -> Iterator[tuple[StackState, ResourceState]]:
        stack = self._one(parameters)
        logical_id = parameters.get("LogicalResourceId")
        for state in list(stack.resources.values()):
            if logical_id in (None, state.logical_id):
                yield stack, state


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _summary(stack: StackState) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": _time(stack.created_at),
        "StackStatus": stack.status,
    }
    if stack.updated_at:
        summary["LastUpdatedTime"] = _time(stack.updated_at)
    if stack.reason:
        summary["StackStatusReason"] = stack.reason
    return summary


def _stack(stack: StackState) -> dict[str, Any]:
    exported = {str(value): name for name, value in stack.exports.items()}
    return {
        **_summary(stack),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": str(value)}
            for key, value in stack.parameters.items()
            if not key.startswith("AWS::")
        ],
        "Outputs": [
            {"OutputKey": key, "OutputValue": str(value), **_export_name(exported.get(str(value)))}
            for key, value in stack.outputs.items()
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
    }


def _export_name(name: str | None) -> dict[str, str]:
    return {"ExportName": name} if name else {}


def _resource(stack: StackState, state: ResourceState, time_member: str) -> dict[str, Any]:
    return {
        "StackName": stack.name,
        "StackId": stack.id,
        "LogicalResourceId": state.logical_id,
        "PhysicalResourceId": state.made.physical_id,
        "ResourceType": state.type,
        time_member: _time(state.changed_at),
        "ResourceStatus": state.status,
    }


def _without_stack(resource: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key not in ("StackName", "StackId")}
