"""SageMaker's hosting as one service."""

from collections.abc import Callable
from typing import Any

from localcloud.clock import Clock
from localcloud.errors import NotSimulatedError
from localcloud.physics.autoscaling import AutoScalingService
from localcloud.physics.capture import DataCapture
from localcloud.physics.cloudwatch import MetricStore
from localcloud.physics.config_operations import ConfigOperations
from localcloud.physics.descriptions import describe_endpoint
from localcloud.physics.faults import Faults
from localcloud.physics.hosting import Hosting
from localcloud.physics.lifecycle import Lifecycle
from localcloud.physics.listing import listing
from localcloud.physics.model_operations import ModelOperations
from localcloud.physics.ports import ContainerRunner, EventSink, ObjectStore
from localcloud.physics.records import Endpoint, Model, Request
from localcloud.physics.scaling import VariantScaling
from localcloud.physics.settings import PhysicsSettings
from localcloud.physics.tag_operations import TagOperations
from localcloud.physics.times import to_datetime
from localcloud.service import Service, operation


class SageMakerService(ModelOperations, ConfigOperations, TagOperations, Service):
    """Models, endpoint configurations and endpoints.

    Parameters
    ----------
    clock, settings
        Time, and how long things take.
    account, region
        For ARNs.
    emit
        EventBridge.
    metrics
        CloudWatch's samples.
    objects
        S3: model data is read from it, captured data written to it.
    containers
        Starts the containers.
    autoscaling
        Application Auto Scaling, which is attached to the variants; None for a cloud without it.
    """

    name = "sagemaker"

    def __init__(
        self,
        clock: Clock,
        settings: PhysicsSettings,
        *,
        account: str,
        region: str,
        emit: EventSink,
        metrics: MetricStore,
        objects: ObjectStore,
        containers: ContainerRunner,
        autoscaling: AutoScalingService | None = None,
    ) -> None:
        self._hosting = Hosting(clock, settings, account, region, emit, metrics, objects, containers, autoscaling)
        self._capture = DataCapture(clock, objects, settings.capture_flush_seconds)
        self._lifecycle = Lifecycle(self._hosting, self._capture.flush)
        if autoscaling is not None:
            autoscaling.attach(VariantScaling(self._hosting, self._lifecycle))

    @property
    def faults(self) -> Faults:
        """Failures to ask for."""
        return self._hosting.faults

    @property
    def hosting(self) -> Hosting:
        """What the runtime routes by."""
        return self._hosting

    @property
    def capture(self) -> DataCapture:
        """Where the runtime leaves captured requests."""
        return self._capture

    @property
    def model_packages(self) -> Callable[[str], Request] | None:
        """Answers DescribeModelPackage, for models that name a package; None if there is no registry."""
        return self._hosting.model_packages

    @model_packages.setter
    def model_packages(self, describe: Callable[[str], Request] | None) -> None:
        self._hosting.model_packages = describe

    def model(self, name: str) -> Model:
        """Return a model, or refuse as SageMaker does; for what else runs models."""
        with self._hosting.lock:
            return self._hosting.models.get(name)

    def stop(self) -> None:
        """Stop all containers, not waiting for them, and write what was captured."""
        self._lifecycle.stop()
        self._capture.stop()

    @operation("CreateEndpoint")
    def create_endpoint(self, request: Request) -> dict[str, Any]:
        """Begin to create an endpoint."""
        _refuse(request, "DeploymentConfig")
        return {"EndpointArn": self._lifecycle.create(request).arn}

    @operation("UpdateEndpoint")
    def update_endpoint(self, request: Request) -> dict[str, Any]:
        """Begin to move an endpoint to another configuration."""
        _refuse(request, "DeploymentConfig", "RetainDeploymentConfig")
        return {"EndpointArn": self._lifecycle.update(request).arn}

    @operation("UpdateEndpointWeightsAndCapacities")
    def update_endpoint_weights_and_capacities(self, request: Request) -> dict[str, Any]:
        """Begin to change weights, or the capacity of one variant."""
        for item in request["DesiredWeightsAndCapacities"]:
            _refuse(item, "ServerlessUpdateConfig")
        return {"EndpointArn": self._lifecycle.change_weights(request).arn}

    @operation("DescribeEndpoint")
    def describe_endpoint(self, request: Request) -> dict[str, Any]:
        """Describe an endpoint."""
        with self._hosting.lock:
            return describe_endpoint(self._lifecycle.find(request["EndpointName"]))

    @operation("DeleteEndpoint")
    def delete_endpoint(self, request: Request) -> dict[str, Any]:
        """Begin to delete an endpoint."""
        self._lifecycle.delete(request["EndpointName"])
        return {}

    @operation("ListEndpoints")
    def list_endpoints(self, request: Request) -> dict[str, Any]:
        """List endpoints."""
        with self._hosting.lock:
            return listing("Endpoints", list(self._hosting.endpoints.values()), request, _summary)


def _refuse(request: Request, *names: str) -> None:
    for name in names:
        if request.get(name):
            raise NotSimulatedError(f"the parameter {name}")


def _summary(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "CreationTime": to_datetime(endpoint.created_at),
        "LastModifiedTime": to_datetime(endpoint.modified_at),
        "EndpointStatus": endpoint.status,
    }
