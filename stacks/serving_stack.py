"""One endpoint: what serves, what watches it, and what it is told about rollouts."""

from pathlib import Path

from aws_cdk import CustomResource, Duration, Stack
from constructs import Construct

from lambdas import contract
from lambdas.contract import CAPTURE_PREFIX
from stacks.config import Endpoint, Environment
from stacks.constructs.bootstrap_model import BootstrapModel
from stacks.constructs.endpoint_settings import EndpointSettings
from stacks.constructs.seeded_endpoint import SeededEndpoint
from stacks.constructs.slot_alarms import SlotAlarms
from stacks.names import Names


class ServingStack(Stack):
    """A live endpoint with its alarms and its settings; `Fleet` comes last and is deleted first."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, endpoint: Endpoint, root: Path
    ) -> None:
        super().__init__(scope, construct_id, termination_protection=environment.retain_data)
        names = Names(self, environment.environment)
        name = endpoint.full_name(environment.environment)
        artefacts = BootstrapModel(self, "Bootstrap", endpoint=endpoint, root=root)
        captures = f"s3://{names.artefact_bucket}/{CAPTURE_PREFIX}/{name}"
        settings = EndpointSettings(
            self,
            "Settings",
            environment=environment,
            endpoint=endpoint,
            names=names,
            artefacts=artefacts,
            capture_destination=captures,
        )
        serving = SeededEndpoint(
            self, "Serving", endpoint=endpoint, names=names, artefacts=artefacts, capture_destination=captures
        )
        serving.node.add_dependency(settings)
        alarms = [self._slot_alarms(slot, endpoint, names) for slot in contract.SLOTS]
        fleet = self._fleet(names, settings)
        fleet.node.add_dependency(settings, serving, *alarms)

    def _slot_alarms(self, slot: str, endpoint: Endpoint, names: Names) -> SlotAlarms:
        return SlotAlarms(
            self,
            f"{slot.capitalize()}Alarms",
            endpoint_name=endpoint.full_name(names.environment),
            slot=slot,
            alarms=endpoint.alarms,
            period_seconds=endpoint.fleet.metrics_period_seconds,
            topic_arn=names.topic_arn,
        )

    def _fleet(self, names: Names, settings: EndpointSettings) -> CustomResource:
        return CustomResource(
            self,
            "Fleet",
            resource_type=contract.FLEET_RESOURCE_TYPE,
            service_token=names.function_arn("fleet"),
            service_timeout=Duration.minutes(20),
            properties={
                "EndpointName": settings.endpoint_name,
                "Environment": names.environment,
                "Fleet": self.to_json_string(settings.fleet),
            },
        )
