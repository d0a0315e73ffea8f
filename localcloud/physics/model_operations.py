"""SageMaker's operations on models."""

from typing import Any

from localcloud.errors import NotSimulatedError
from localcloud.physics.catalogue import validation
from localcloud.physics.hosting import Hosting
from localcloud.physics.listing import listing
from localcloud.physics.ports import ObjectMissingError
from localcloud.physics.records import Model, Request
from localcloud.physics.times import to_datetime
from localcloud.service import operation

_NOT_SIMULATED = ("Containers", "InferenceExecutionConfig", "VpcConfig")
_NOT_SIMULATED_OF_CONTAINER = ("AdditionalModelDataSources", "MultiModelConfig", "InferenceSpecificationName")


class ModelOperations:
    """CreateModel and its companions."""

    _hosting: Hosting

    @operation("CreateModel")
    def create_model(self, request: Request) -> dict[str, Any]:
        """Create a model of one container; its data must exist."""
        hosting, name = self._hosting, request["ModelName"]
        with hosting.lock:
            hosting.models.check_free(name)
        container = self._container(request)
        url = _data_url(container)
        self._check_data(url)
        with hosting.lock:
            model = Model(
                name,
                hosting.models.arn(name),
                request,
                hosting.clock.now(),
                container["Image"],
                url,
                container.get("Environment") or {},
            )
            hosting.models.add(model)
            hosting.tag(model.arn, request)
            return {"ModelArn": model.arn}

    @operation("DescribeModel")
    def describe_model(self, request: Request) -> dict[str, Any]:
        """Describe a model."""
        with self._hosting.lock:
            model = self._hosting.models.get(request["ModelName"])
        asked = {key: value for key, value in model.request.items() if key not in ("Tags", "ModelName")}
        return {
            "EnableNetworkIsolation": False,
            **asked,
            "PrimaryContainer": _described(model),
            "ModelName": model.name,
            "ModelArn": model.arn,
            "CreationTime": to_datetime(model.created_at),
        }

    @operation("DeleteModel")
    def delete_model(self, request: Request) -> dict[str, Any]:
        """Delete a model; containers that run it go on."""
        with self._hosting.lock:
            model = self._hosting.models.remove(request["ModelName"])
            self._hosting.tags.pop(model.arn, None)
        return {}

    @operation("ListModels")
    def list_models(self, request: Request) -> dict[str, Any]:
        """List models."""
        with self._hosting.lock:
            return listing("Models", self._hosting.models.all(), request, _summary)

    def _container(self, request: Request) -> Request:
        """Return the container definition, with what it takes from a model package."""
        for name in _NOT_SIMULATED:
            if request.get(name):
                raise NotSimulatedError(f"CreateModel {name}")
        container: Request | None = request.get("PrimaryContainer")
        if not container:
            raise validation("A model needs either PrimaryContainer or Containers.")
        for name in _NOT_SIMULATED_OF_CONTAINER:
            if container.get(name):
                raise NotSimulatedError(f"CreateModel PrimaryContainer.{name}")
        if container.get("ModelPackageName"):
            return self._packaged(container)
        if not container.get("Image"):
            raise validation("PrimaryContainer needs an Image or a ModelPackageName.")
        return container

    def _packaged(self, container: Request) -> Request:
        if self._hosting.model_packages is None:
            raise NotSimulatedError("CreateModel PrimaryContainer.ModelPackageName")
        package = self._hosting.model_packages(container["ModelPackageName"])
        packaged = package["InferenceSpecification"]["Containers"][0]
        environment = {**(packaged.get("Environment") or {}), **(container.get("Environment") or {})}
        return {**packaged, "Environment": environment}

    def _check_data(self, url: str | None) -> None:
        if url is None:
            return
        try:
            self._hosting.objects.get(url)
        except ObjectMissingError:
            raise validation(f"Could not find model data at {url}.") from None


def _described(model: Model) -> dict[str, Any]:
    """Return the container with its data under both names: SageMaker shows both, and takes only one."""
    container: Request = model.request["PrimaryContainer"]
    if model.data_url is None:
        return dict(container)
    source = {"S3Uri": model.data_url, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    return {**container, "ModelDataUrl": model.data_url, "ModelDataSource": {"S3DataSource": source}}


def _data_url(container: Request) -> str | None:
    if container.get("ModelDataUrl") and container.get("ModelDataSource"):
        raise validation("ModelDataUrl and ModelDataSource cannot both be given for a container.")
    source = (container.get("ModelDataSource") or {}).get("S3DataSource")
    if source is None:
        return container.get("ModelDataUrl")
    if source.get("CompressionType") != "Gzip":
        raise NotSimulatedError("ModelDataSource with uncompressed model data")
    return str(source["S3Uri"])


def _summary(model: Model) -> dict[str, Any]:
    return {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": to_datetime(model.created_at)}
