"""One SageMaker endpoint of the local cloud's physics, and boto3's clients to it without the network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from lambdas.contract import BOOTSTRAP_SLOT
from lambdas.rollout.adapters.clients import Lazy
from localcloud.clock import VirtualClock
from localcloud.errors import AwsError
from localcloud.physics.autoscaling import AutoScalingService
from localcloud.physics.cloudwatch import MetricStore
from localcloud.physics.endpoints import SageMakerService
from localcloud.physics.ports import EventSink
from localcloud.physics.records import IN_SERVICE, Endpoint
from localcloud.physics.settings import PhysicsSettings
from localcloud.physics.testing import FakeContainers, MemoryObjects
from localcloud.service import Service

ACCOUNT, REGION = "111122223333", "us-east-1"
REPOSITORY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/serving"
BUCKET = "artefacts"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/run"
SEED = "bootstrap"
"""Name of the config and the model that the template made."""


class _AnyObjects(MemoryObjects):
    """S3 in which every artefact exists."""

    def get(self, uri: str) -> bytes:  # noqa: ARG002 - the port's
        return b""


@dataclass(frozen=True)
class Served:
    """A variant as it really is."""

    weight: float
    desired_weight: float
    instances: int


class Cloud:
    """The physics of one endpoint, in service with the bootstrap model.

    Parameters
    ----------
    clock, settings
        Virtual time, and how long things take.
    name
        Of the endpoint.
    instances
        How many the bootstrap variant has.
    emit
        Told of the endpoint's changes.
    """

    def __init__(
        self, clock: VirtualClock, settings: PhysicsSettings, name: str, instances: int, emit: EventSink
    ) -> None:
        self.name = name
        self._clock, self._emit = clock, emit
        self.autoscaling = AutoScalingService(clock, account=ACCOUNT, region=REGION)
        self.sagemaker = SageMakerService(
            clock,
            settings,
            account=ACCOUNT,
            region=REGION,
            emit=emit,
            metrics=MetricStore(clock),
            objects=_AnyObjects(),
            containers=FakeContainers(),
            autoscaling=self.autoscaling,
        )
        self._create(instances)
        clock.advance(settings.create_seconds + 1)

    def _create(self, instances: int) -> None:
        sagemaker = self.sagemaker
        container = {"Image": f"{REPOSITORY}:1", "ModelDataUrl": f"s3://{BUCKET}/bootstrap/model.tar.gz"}
        sagemaker.create_model({"ModelName": SEED, "PrimaryContainer": container, "ExecutionRoleArn": ROLE})
        variant = {
            "VariantName": BOOTSTRAP_SLOT,
            "ModelName": SEED,
            "InstanceType": "ml.g5.xlarge",
            "InitialInstanceCount": instances,
            "InitialVariantWeight": 100.0,
        }
        sagemaker.create_endpoint_config({"EndpointConfigName": SEED, "ProductionVariants": [variant]})
        sagemaker.create_endpoint({"EndpointName": self.name, "EndpointConfigName": SEED})

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint as it really is; None once it is deleted."""
        return self.sagemaker.hosting.endpoints.get(self.name)

    def update_system(self, seconds: float) -> None:
        """Have AWS maintain the endpoint, which refuses changes meanwhile, unless it is busy anyway."""
        if self.endpoint is not None and self.endpoint.status == IN_SERVICE:
            self._stand("SystemUpdating")
            self._clock.call_later(seconds, partial(self._stand, IN_SERVICE))

    def _stand(self, status: str) -> None:
        if self.endpoint is not None:
            self.endpoint.status = status
            self._emit("aws.sagemaker", "SageMaker Endpoint State Change", {}, [])

    def served(self, slot: str) -> Served | None:
        """Return a variant as it really is; None when there is none."""
        variant = self.endpoint.variants.get(slot) if self.endpoint else None
        if variant is None:
            return None
        return Served(variant.current_weight, variant.desired_weight, len(variant.instances))

    def artefact(self, slot: str) -> str:
        """Return where the model that a slot serves comes from, a shadow included; empty when there is none."""
        found = self.endpoint.hosted().get(slot) if self.endpoint else None
        return (found.model.data_url or "") if found else ""

    def share(self, slot: str) -> float:
        """Return the percentage of the traffic that a slot takes."""
        variants = self.endpoint.variants if self.endpoint else {}
        total = sum(variant.current_weight for variant in variants.values())
        return 100 * variants[slot].current_weight / total if slot in variants and total else 0.0

    def answers(self, slot: str) -> float:
        """Return the percentage of the requests that a slot answers, copies to a shadow included."""
        shadow = self.endpoint.shadows.get(slot) if self.endpoint else None
        if shadow is None or self.endpoint is None:
            return self.share(slot)
        [live] = self.endpoint.variants.values()
        return 100 * shadow.current_weight / live.current_weight


class Client:
    """A boto3 client of a service, by its methods' names."""

    def __init__(self, service: Service) -> None:
        self._operations = {_snake(name): (name, handle) for name, handle in service.operations().items()}

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("__"):
            raise AttributeError(method)
        name, handle = self._operations[method]
        return partial(_answer, name, handle)


def lazy(service: Service) -> Lazy:
    """Return what the adapters take for a client that is made when needed."""
    client = Client(service)
    return Lazy(service.name, lambda _: client)


def _answer(name: str, handle: Callable[[Mapping[str, Any]], Any], **request: Any) -> Any:
    try:
        return handle(request)
    except AwsError as error:
        answer: Any = {
            "Error": {"Code": error.code, "Message": error.message},
            "ResponseMetadata": {"HTTPStatusCode": error.status},
        }
        raise ClientError(answer, name) from error


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
