"""An endpoint's settings as its rollouts read them."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from lambdas import contract
from stacks.config import Endpoint, Fleet
from stacks.constructs.bootstrap_model import BootstrapModel
from stacks.names import Names

_SCHEMA = 1


class EndpointSettings(Construct):
    """The parameter that carries policy, fleet and what `admit` lets in.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    endpoint
        The endpoint as its environment's file has it.
    names
        Names in this stack.
    artefacts
        Says which image the fleet runs.
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
        self.endpoint_name = endpoint.full_name(names.environment)
        self.fleet = _fleet(endpoint.fleet, artefacts.image.image_uri, capture_destination)
        settings = {
            "schema": _SCHEMA,
            "environment": names.environment,
            "endpoint": self.endpoint_name,
            "execution_role_arn": names.execution_role_arn(self.endpoint_name),
            "image_repositories": [artefacts.image.repository.repository_uri, *endpoint.image_repositories],
            "artefact_bucket": names.artefact_bucket,
            "policy": endpoint.rollout.to_dict(),
            "evidence": _evidence(endpoint),
            "fleet": self.fleet,
        }
        ssm.StringParameter(
            self,
            "Parameter",
            parameter_name=contract.endpoint_parameter(names.environment, self.endpoint_name),
            description=f"How new versions come onto {self.endpoint_name}",
            string_value=Stack.of(self).to_json_string(settings),
            tier=ssm.ParameterTier.INTELLIGENT_TIERING,  # a long smoke test's body passes 4 KB
        )


def _evidence(endpoint: Endpoint) -> dict[str, float]:
    """What a step must have seen: as many periods, each with as many requests, as the alarms look at."""
    return {
        "periods": endpoint.alarms.of_periods,
        "period_seconds": endpoint.fleet.metrics_period_seconds,
        "min_requests": endpoint.alarms.min_requests,
        "error_rate_percent": endpoint.alarms.error_rate_percent,
    }


def _fleet(fleet: Fleet, image_uri: str, capture_destination: str) -> dict[str, Any]:
    return {
        "image": image_uri,
        "instance_type": fleet.instance_type,
        "min_instances": fleet.min_instances,
        "max_instances": fleet.max_instances,
        "target_invocations_per_instance": fleet.target_invocations_per_instance,
        "inference_ami_version": fleet.inference_ami_version,
        "capture": {
            "enabled": fleet.captures,
            "sampling_percent": fleet.capture_sampling_percent,
            "destination": capture_destination,
        },
        "startup_timeout_seconds": fleet.startup_timeout_seconds,
        "download_timeout_seconds": fleet.download_timeout_seconds,
        "metrics_period_seconds": fleet.metrics_period_seconds,
        "network_isolation": fleet.network_isolation,
    }
