"""The SageMaker endpoint, which CloudFormation creates and never changes.

Creation order: seed, model, config, pin, clean-up, endpoint. Deletion runs the other way round, so that the clean-up
comes after the endpoint is gone.
"""

import hashlib
import json
from collections.abc import Mapping

from aws_cdk import CfnDeletionPolicy, CfnResource, CustomResource, Duration, Stack, Token
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from lambdas import contract
from stacks.config import Endpoint, Fleet
from stacks.constructs.bootstrap_model import BootstrapModel
from stacks.constructs.seed import Seed
from stacks.names import Names

UNTAGGED = ["AWS::SageMaker::Endpoint", "AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Model"]
"""Types that carry no tags of the stage: an edited tag would have CloudFormation touch what is live."""

_CAPTURED_AS_TEXT = sagemaker.CfnEndpointConfig.CaptureContentTypeHeaderProperty(
    csv_content_types=["text/csv"], json_content_types=["application/json"]
)


class SeededEndpoint(Construct):
    """An endpoint whose model, instances and capture are what they were on the day it was created.

    What varies is read from a `Seed`; the config that the endpoint names is read from another, the pin, so that even
    a config of another shape, as a GPU instance type or a later version of this template asks for, changes nothing on
    the endpoint. The seed's key carries the shape: another shape records all its values anew, under new names.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    endpoint
        The endpoint as its environment's file has it.
    names
        Names in this stack.
    artefacts
        Image and model of the first deploy.
    capture_destination
        Where captured traffic goes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: Endpoint,
        names: Names,
        artefacts: BootstrapModel,
        capture_destination: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = endpoint.full_name(names.environment)
        self._names = names
        values = _seeded(endpoint.fleet, artefacts, capture_destination)
        self._seed = self._recorded("Seed", self.name, values)
        self.model = self._model(endpoint.fleet)
        self.config = self._config(endpoint.fleet)
        self._seed.record_anew_for(f"{self.name}-{self._shape(values)}")
        pin = self._recorded(
            "Pin", contract.pin_key(self.name), {"EndpointConfigName": self.config.attr_endpoint_config_name}
        )
        clean_up = self._clean_up()
        clean_up.node.add_dependency(pin)
        self.endpoint = sagemaker.CfnEndpoint(
            self, "Endpoint", endpoint_name=self.name, endpoint_config_name=pin.value("EndpointConfigName")
        )
        self.endpoint.node.add_dependency(clean_up)

    def _recorded(self, construct_id: str, key: str, values: dict[str, str]) -> Seed:
        return Seed(self, construct_id, key=key, service_token=self._names.function_arn("seed"), values=values)

    def _clean_up(self) -> CustomResource:
        return CustomResource(
            self,
            "CleanUp",
            resource_type=contract.CLEANUP_RESOURCE_TYPE,
            service_token=self._names.function_arn("cleanup"),
            service_timeout=Duration.minutes(20),
            properties={
                "EndpointName": self.name,
                "Environment": self._names.environment,
                "EndpointConfigName": self.config.attr_endpoint_config_name,
                "ModelName": self.model.attr_model_name,
            },
        )

    def _model(self, fleet: Fleet) -> sagemaker.CfnModel:
        container = sagemaker.CfnModel.ContainerDefinitionProperty(
            image=self._seed.value("Image"),
            model_data_url=self._seed.value("ModelDataUrl"),
            environment={name: self._seed.value(key) for key, name in _variables(fleet).items()} or None,
        )
        model = sagemaker.CfnModel(
            self,
            "Model",
            model_name=self._bootstrap_name,
            execution_role_arn=self._names.execution_role_arn(self.name),
            primary_container=container,
            enable_network_isolation=self._seed.get_att("NetworkIsolation"),
        )
        _keep(model)
        return model

    def _config(self, fleet: Fleet) -> sagemaker.CfnEndpointConfig:
        config = sagemaker.CfnEndpointConfig(
            self,
            "Config",
            endpoint_config_name=self._bootstrap_name,
            production_variants=[self._variant(fleet)],
            data_capture_config=self._capture(),
            metrics_config=sagemaker.CfnEndpointConfig.MetricsConfigProperty(
                enable_enhanced_metrics=True,
                enable_detailed_observability=False,  # charged, and on unless it is said
                metric_publish_frequency_in_seconds=self._number("MetricsPeriodSeconds"),
            ),
        )
        _keep(config)
        return config

    def _variant(self, fleet: Fleet) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
        return sagemaker.CfnEndpointConfig.ProductionVariantProperty(
            variant_name=contract.BOOTSTRAP_SLOT,
            model_name=self.model.attr_model_name,
            initial_variant_weight=contract.FULL_WEIGHT,
            initial_instance_count=self._number("InitialInstanceCount"),
            instance_type=self._seed.value("InstanceType"),
            inference_ami_version=self._seed.value("InferenceAmiVersion") if fleet.has_gpu else None,
            container_startup_health_check_timeout_in_seconds=self._number("StartupTimeoutSeconds"),
            model_data_download_timeout_in_seconds=self._number("DownloadTimeoutSeconds"),
        )

    def _capture(self) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty:
        options = [sagemaker.CfnEndpointConfig.CaptureOptionProperty(capture_mode=mode) for mode in ("Input", "Output")]
        return sagemaker.CfnEndpointConfig.DataCaptureConfigProperty(
            enable_capture=self._seed.get_att("CaptureEnabled"),
            initial_sampling_percentage=self._number("CaptureSamplingPercent"),
            destination_s3_uri=self._seed.value("CaptureDestination"),
            capture_options=options,
            capture_content_type_header=_CAPTURED_AS_TEXT,
        )

    def _number(self, name: str) -> float:
        return Token.as_number(self._seed.get_att(name))

    @property
    def _bootstrap_name(self) -> str:
        """Return the name of model and config, which the functions' roles allow by its prefix."""
        return f"{self.name}-bootstrap-{self._seed.nonce}"

    def _shape(self, values: Mapping[str, str]) -> str:
        """Return a digest of which properties model and config have, and which values they may read."""
        model, config = self.model, self.config
        properties: list[object] = [model.execution_role_arn, model.primary_container, model.enable_network_isolation]
        properties += [config.production_variants, config.data_capture_config, config.metrics_config]
        text = json.dumps([Stack.of(self).resolve(properties), sorted(values)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def _keep(resource: CfnResource) -> None:
    """Keep what another shape replaces: it may be live. The clean-up removes it in the end."""
    resource.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
    resource.cfn_options.deletion_policy = CfnDeletionPolicy.DELETE


def _variables(fleet: Fleet) -> dict[str, str]:
    """Return which environment variables the container has, by the names under which their values are recorded."""
    return {name.replace("_", ""): name for name in _environment(fleet)}


def _environment(fleet: Fleet) -> dict[str, str]:
    asked = fleet.capture_variables
    return {**asked, contract.CAPTURE_VARIANT: contract.BOOTSTRAP_SLOT} if asked else {}


def _seeded(fleet: Fleet, artefacts: BootstrapModel, capture_destination: str) -> dict[str, str]:
    driver = {"InferenceAmiVersion": fleet.inference_ami_version} if fleet.inference_ami_version else {}
    return {
        "Image": artefacts.image.image_uri,
        "ModelDataUrl": artefacts.model_url,
        "InstanceType": fleet.instance_type,
        **driver,
        "InitialInstanceCount": str(fleet.min_instances),
        "StartupTimeoutSeconds": str(fleet.startup_timeout_seconds),
        "DownloadTimeoutSeconds": str(fleet.download_timeout_seconds),
        "MetricsPeriodSeconds": str(fleet.metrics_period_seconds),
        "NetworkIsolation": str(fleet.network_isolation).lower(),
        "CaptureEnabled": str(fleet.data_capture).lower(),
        "CaptureSamplingPercent": str(fleet.capture_sampling_percent),
        "CaptureDestination": capture_destination,
        **{key: _environment(fleet)[name] for key, name in _variables(fleet).items()},
    }
