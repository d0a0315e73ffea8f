"""AWS::SageMaker: model package groups, models and endpoint configurations. `Ref` of each is its ARN."""

import json
from typing import Any, ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.shape import without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_list, tag_map

GONE = ("ValidationException", "ResourceNotFound")
"""SageMaker tells with either that something does not exist."""
NAME_LIMIT = 63


def set_tags(scope: Scope, arn: str, old: Properties, new: Properties) -> None:
    """Make the tags of a SageMaker resource what `new` says."""
    to_set, removed = tag_changes(old, new)
    if to_set:
        scope.call("sagemaker", "AddTags", ResourceArn=arn, Tags=tag_list(to_set))
    if removed:
        scope.call("sagemaker", "DeleteTags", ResourceArn=arn, TagKeys=removed)


def tags_of(properties: Properties) -> list[dict[str, str]] | None:
    """Return the tags as a creation takes them."""
    return tag_list(tag_map(properties.get("Tags"))) or None


class ModelPackageGroup(ResourceType):
    """The group under which a model's versions are registered."""

    name: ClassVar[str] = "AWS::SageMaker::ModelPackageGroup"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"ModelPackageGroupDescription", "ModelPackageGroupName", "ModelPackageGroupPolicy", "Tags"}
    )
    required: ClassVar[frozenset[str]] = frozenset({"ModelPackageGroupName"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"ModelPackageGroupDescription", "ModelPackageGroupName"})
    name_property: ClassVar[str | None] = "ModelPackageGroupName"
    attributes: ClassVar[frozenset[str]] = frozenset({"ModelPackageGroupArn"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the group."""
        settings = without(desired, "Tags", "ModelPackageGroupPolicy")
        arn = scope.call("sagemaker", "CreateModelPackageGroup", Tags=tags_of(desired), **settings)[
            "ModelPackageGroupArn"
        ]
        made = scope.note(arn, ModelPackageGroupArn=arn)
        _set_policy(scope, {}, desired)
        return made

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set policy and tags."""
        _set_policy(scope, old, new)
        set_tags(scope, made.physical_id, old, new)
        return made

    def delete(self, scope: Scope, _made: Made, properties: Properties) -> None:
        """Delete the group, which must be empty."""
        name = properties["ModelPackageGroupName"]
        if _exists(scope, "DescribeModelPackageGroup", ModelPackageGroupName=name):
            scope.call("sagemaker", "DeleteModelPackageGroup", ModelPackageGroupName=name)


def _set_policy(scope: Scope, old: Properties, new: Properties) -> None:
    policy = new.get("ModelPackageGroupPolicy")
    if old.get("ModelPackageGroupPolicy") == policy:
        return
    group = new["ModelPackageGroupName"]
    if policy is None:
        scope.call("sagemaker", "DeleteModelPackageGroupPolicy", ModelPackageGroupName=group)
        return
    document = policy if isinstance(policy, str) else json.dumps(policy)
    scope.call("sagemaker", "PutModelPackageGroupPolicy", ModelPackageGroupName=group, ResourcePolicy=document)


def _exists(scope: Scope, operation: str, **which: Any) -> bool:
    # Asked first, because one error code stands both for "gone" and for "cannot be deleted now".
    with ignoring(*GONE):
        scope.call("sagemaker", operation, **which)
        return True
    return False


class Model(ResourceType):
    """A model; whatever changes in it makes a new one."""

    name: ClassVar[str] = "AWS::SageMaker::Model"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"Containers", "EnableNetworkIsolation", "ExecutionRoleArn", "InferenceExecutionConfig", "ModelName",
         "PrimaryContainer", "Tags", "VpcConfig"}
    )  # fmt: skip
    replaced_by: ClassVar[frozenset[str]] = handled - {"Tags"}
    name_property: ClassVar[str | None] = "ModelName"
    attributes: ClassVar[frozenset[str]] = frozenset({"ModelArn", "ModelName"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the model."""
        name = desired.get("ModelName") or scope.name(NAME_LIMIT)
        settings = {**without(desired, "Tags"), "ModelName": name}
        arn = scope.call("sagemaker", "CreateModel", Tags=tags_of(desired), **settings)["ModelArn"]
        return Made(arn, {"ModelArn": arn, "ModelName": name})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set the tags."""
        set_tags(scope, made.physical_id, old, new)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the model."""
        name = made.attributes["ModelName"]
        if _exists(scope, "DescribeModel", ModelName=name):
            scope.call("sagemaker", "DeleteModel", ModelName=name)


class EndpointConfig(ResourceType):
    """An endpoint configuration; it is immutable, so whatever changes in it makes a new one."""

    name: ClassVar[str] = "AWS::SageMaker::EndpointConfig"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"AsyncInferenceConfig", "DataCaptureConfig", "EnableNetworkIsolation", "EndpointConfigName",
         "ExecutionRoleArn", "ExplainerConfig", "KmsKeyId", "MetricsConfig", "ProductionVariants",
         "ShadowProductionVariants", "Tags", "VpcConfig"}
    )  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset({"ProductionVariants"})
    replaced_by: ClassVar[frozenset[str]] = handled - {"Tags"}
    name_property: ClassVar[str | None] = "EndpointConfigName"
    attributes: ClassVar[frozenset[str]] = frozenset({"EndpointConfigArn", "EndpointConfigName"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the configuration."""
        name = desired.get("EndpointConfigName") or scope.name(NAME_LIMIT)
        settings = {**without(desired, "Tags"), "EndpointConfigName": name}
        arn = scope.call("sagemaker", "CreateEndpointConfig", Tags=tags_of(desired), **settings)["EndpointConfigArn"]
        return Made(arn, {"EndpointConfigArn": arn, "EndpointConfigName": name})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set the tags."""
        set_tags(scope, made.physical_id, old, new)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the configuration."""
        name = made.attributes["EndpointConfigName"]
        if _exists(scope, "DescribeEndpointConfig", EndpointConfigName=name):
            scope.call("sagemaker", "DeleteEndpointConfig", EndpointConfigName=name)
