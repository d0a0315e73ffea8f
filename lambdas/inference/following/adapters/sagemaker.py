"""SageMaker's endpoints, configs and models for jobs, and what is live on the real-time endpoint.

Needs sagemaker:CreateEndpoint, DescribeEndpoint, UpdateEndpoint and DeleteEndpoint on ``endpoint/jobs-<endpoint>``;
CreateModel, DeleteModel, CreateEndpointConfig, DescribeEndpointConfig and DeleteEndpointConfig on what is named
``jobs-<endpoint>-*``, with sagemaker:AddTags and iam:PassRole of the endpoint's execution role; and what
`lambdas.inference.adapters.live_model` needs.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lambdas.inference.adapters.live_model import live_model
from lambdas.inference.adapters.own_models import OwnModels
from lambdas.inference.following.ports import Seen
from lambdas.inference.live import LiveModel
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.configs import tag_list
from lambdas.rollout.errors import AlreadyExistsError, MissingError


class SageMakerEndpoints:
    """Implements `lambdas.inference.following.ports.Endpoints`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("sagemaker")
        self._models = OwnModels(self._client)

    def describe(self, name: str) -> Seen:
        """Look at an endpoint."""
        try:
            with translated():
                found = self._client().describe_endpoint(EndpointName=name)
        except MissingError:
            return Seen("Missing")
        return Seen(
            status=found["EndpointStatus"],
            config=found["EndpointConfigName"],
            reason=found.get("FailureReason", ""),
            instances=sum(each.get("CurrentInstanceCount", 0) for each in found.get("ProductionVariants", [])),
            created_at=found["CreationTime"].timestamp(),
            modified_at=found["LastModifiedTime"].timestamp(),
        )

    def create_model(self, request: Mapping[str, Any]) -> None:
        """Make a model."""
        self._models.make(request["ModelName"], request)

    def create_config(self, request: Mapping[str, Any]) -> None:
        """Make an endpoint config."""
        with suppress(AlreadyExistsError), translated():
            self._client().create_endpoint_config(**request)

    def create(self, name: str, config: str, tags: Mapping[str, str]) -> None:
        """Make an endpoint."""
        with suppress(AlreadyExistsError), translated():
            self._client().create_endpoint(EndpointName=name, EndpointConfigName=config, Tags=tag_list(tags))

    def update(self, name: str, config: str, *, keep_count: bool) -> None:
        """Put another config live, with as many instances as there are or with as many as it says."""
        with translated():
            self._client().update_endpoint(
                EndpointName=name, EndpointConfigName=config, RetainAllVariantProperties=keep_count
            )

    def instance_type(self, config: str) -> str:
        """Return what the instances of an endpoint config are; empty where there is no such config."""
        try:
            with translated():
                found = self._client().describe_endpoint_config(EndpointConfigName=config)
        except MissingError:
            return ""
        return str(found["ProductionVariants"][0].get("InstanceType", ""))

    def delete(self, made: str) -> None:
        """Delete an endpoint, an endpoint config or a model; what is gone is deleted."""
        kind, name = made.split("/")
        if kind == "model":
            self._models.remove(name)
            return
        with suppress(MissingError), translated():
            if kind == "endpoint":
                self._client().delete_endpoint(EndpointName=name)
            else:
                self._client().delete_endpoint_config(EndpointConfigName=name)


class RecordedLive:
    """Implements `lambdas.inference.following.ports.LiveVersions`."""

    def __init__(self, store: DynamoStore | None = None, client: Lazy | None = None) -> None:
        self._store, self._client = store or DynamoStore(), client or Lazy("sagemaker")

    def of(self, endpoint: str) -> LiveModel | None:
        """Return the live version; None before the endpoint's first."""
        return live_model(endpoint, self._store, self._client)
