"""AWS::SageMaker::Pipeline."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.deploy.errors import UnsupportedError
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.sagemaker import GONE, set_tags, tags_of
from localcloud.deploy.resources.shape import only, renamed
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made

_BODY, _PLACE = "PipelineDefinitionBody", "PipelineDefinitionS3Location"
_DESCRIBED = ("PipelineDisplayName", "PipelineDescription", "ParallelismConfiguration", "RoleArn")


class Pipeline(ResourceType):
    """A pipeline; `Ref` is its name."""

    name: ClassVar[str] = "AWS::SageMaker::Pipeline"
    handled: ClassVar[frozenset[str]] = frozenset({"PipelineName", "PipelineDefinition", "Tags", *_DESCRIBED})
    required: ClassVar[frozenset[str]] = frozenset({"PipelineName", "PipelineDefinition", "RoleArn"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"PipelineName"})
    name_property: ClassVar[str | None] = "PipelineName"
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make the pipeline."""
        name = desired["PipelineName"]
        settings = {**_definition(desired["PipelineDefinition"]), **only(desired, *_DESCRIBED)}
        scope.call("sagemaker", "CreatePipeline", PipelineName=name, Tags=tags_of(desired), **settings)
        return Made(name)

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Set definition, role and description; executions that have begun are not touched."""
        settings = {**_definition(new["PipelineDefinition"]), **only(new, *_DESCRIBED)}
        arn = scope.call("sagemaker", "UpdatePipeline", PipelineName=made.physical_id, **settings)["PipelineArn"]
        set_tags(scope, arn, old, new)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the pipeline, none of whose executions may be running."""
        with ignoring(*GONE):
            scope.call("sagemaker", "DeletePipeline", PipelineName=made.physical_id)


def _definition(given: Any) -> dict[str, Any]:
    """Return the definition as the API takes it: a text, of whatever form the template gives it in, or its place."""
    if not isinstance(given, Mapping):
        return {"PipelineDefinition": _text(given)}
    if _BODY in given:
        return {"PipelineDefinition": _text(given[_BODY])}
    if _PLACE in given:
        where = f"PipelineDefinition.{_PLACE}"
        place = renamed(given[_PLACE], where, {"Bucket": "Bucket", "Key": "ObjectKey", "Version": "VersionId"})
        return {"PipelineDefinitionS3Location": place}
    raise UnsupportedError(f"PipelineDefinition: {_BODY} or {_PLACE} is needed, not {', '.join(sorted(given))}")


def _text(definition: Any) -> str:
    return definition if isinstance(definition, str) else json.dumps(definition)
