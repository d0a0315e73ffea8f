"""SageMaker endpoints, endpoint configs and models."""

from collections.abc import Mapping
from typing import Any

from lambdas.rollout import configs
from lambdas.rollout.actions import CreateFinalConfig, CreateMixedConfig, CreateModel, CreateShadowConfig
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import AlreadyExistsError, ForeignError, MissingError
from lambdas.rollout.observation import EndpointView, Variant

# Instance counts of live variants are ours or autoscaling's, and a config is out of date in them. Weights and capture
# are the config's to say: a variant that was a shadow must not keep the share of copies for a share of the traffic.
_RETAINED = {
    "RetainAllVariantProperties": True,
    "ExcludeRetainedVariantProperties": [
        {"VariantPropertyType": "DesiredWeight"},
        {"VariantPropertyType": "DataCaptureConfig"},
    ],
}


class SageMakerEndpoints:
    """Implements `lambdas.rollout.ports.Endpoints`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("sagemaker")

    def describe(self, name: str) -> EndpointView:
        """Look at an endpoint."""
        try:
            with translated():
                found = self._client().describe_endpoint(EndpointName=name)
        except MissingError:
            return EndpointView("Missing")
        return EndpointView(
            status=found["EndpointStatus"],
            config=found["EndpointConfigName"],
            variants={each["VariantName"]: _variant(each) for each in found.get("ProductionVariants", [])},
            failure_reason=found.get("FailureReason", ""),
            modified_at=found["LastModifiedTime"].timestamp(),
            shadows={each["VariantName"]: _variant(each) for each in found.get("ShadowProductionVariants", [])},
        )

    def container_of(self, action: CreateModel) -> Mapping[str, Any]:
        """Return the container that the model is going to have."""
        container: Mapping[str, Any] = self._request(action)["PrimaryContainer"]
        return container

    def create_model(self, action: CreateModel) -> None:
        """Make the model, or make sure that the one of that name is the same."""
        request = self._request(action)
        try:
            with translated():
                self._client().create_model(**request)
        except AlreadyExistsError:
            _require_same("model", action.name, request, self._model(action.name))

    def create_mixed_config(self, action: CreateMixedConfig) -> None:
        """Make the config with both variants, or make sure that the one of that name is the same."""
        self._create_config(configs.mixed_config(self._config(action.source_config), action))

    def create_shadow_config(self, action: CreateShadowConfig) -> None:
        """Make the config with the new variant as a shadow, or make sure that the one of that name is the same."""
        self._create_config(configs.shadow_config(self._config(action.source_config), action))

    def create_final_config(self, action: CreateFinalConfig) -> None:
        """Make the config with the new variant alone, or make sure that the one of that name is the same."""
        self._create_config(configs.final_config(self._config(action.source_config), action))

    def update(self, name: str, config: str) -> None:
        """Put a config live."""
        with translated():
            self._client().update_endpoint(EndpointName=name, EndpointConfigName=config, **_RETAINED)

    def set_weights(self, name: str, weights: Mapping[str, float]) -> None:
        """Set the weights of variants."""
        self._set(name, [{"VariantName": slot, "DesiredWeight": weight} for slot, weight in sorted(weights.items())])

    def set_capacity(self, name: str, slot: str, count: int) -> None:
        """Set the instance count of a variant."""
        self._set(name, [{"VariantName": slot, "DesiredInstanceCount": count}])

    def delete(self, kind: str, name: str) -> None:
        """Delete an endpoint config or a model; one that does not exist is deleted."""
        try:
            with translated():
                if kind == "config":
                    self._client().delete_endpoint_config(EndpointConfigName=name)
                else:
                    self._client().delete_model(ModelName=name)
        except MissingError:
            return

    def models_of(self, config: str) -> list[str]:
        """Return the models that a config names; none when there is no such config."""
        try:
            found = self._config(config)
        except MissingError:
            return []
        return [variant["ModelName"] for variant in found["ProductionVariants"] if "ModelName" in variant]

    def _request(self, action: CreateModel) -> dict[str, Any]:
        variant = configs.variant_of(self._config(action.source_config), action.source_slot)
        return configs.model_request(self._model(variant["ModelName"]), action)

    def _config(self, name: str) -> dict[str, Any]:
        with translated():
            return dict(self._client().describe_endpoint_config(EndpointConfigName=name))

    def _model(self, name: str) -> dict[str, Any]:
        with translated():
            return dict(self._client().describe_model(ModelName=name))

    def _create_config(self, request: dict[str, Any]) -> None:
        name = request["EndpointConfigName"]
        try:
            with translated():
                self._client().create_endpoint_config(**request)
        except AlreadyExistsError:
            _require_same("endpoint config", name, request, self._config(name))

    def _set(self, name: str, wanted: list[dict[str, Any]]) -> None:
        with translated():
            self._client().update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wanted)


def _variant(data: Mapping[str, Any]) -> Variant:
    # Absent while the variant's first instances start.
    return Variant(
        weight=float(data.get("CurrentWeight", 0.0)),
        desired_weight=float(data.get("DesiredWeight", 0.0)),
        count=int(data.get("CurrentInstanceCount", 0)),
        desired_count=int(data.get("DesiredInstanceCount", 0)),
    )


def _require_same(what: str, name: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    if not configs.same(wanted, found):
        raise ForeignError(f"there is another {what} called {name} already; delete it if nothing uses it")
