"""An endpoint's settings as its rollouts read them."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from lambdas import contract
from stacks.config import Endpoint, Environment
from stacks.config.settings import Places, settings_of
from stacks.constructs.bootstrap_model import BootstrapModel
from stacks.names import Names


class EndpointSettings(Construct):
    """The parameter that carries policy, fleet and what `admit` lets in.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    environment, endpoint
        What the environment's file says.
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
        environment: Environment,
        endpoint: Endpoint,
        names: Names,
        artefacts: BootstrapModel,
        capture_destination: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.endpoint_name = endpoint.full_name(names.environment)
        places = Places(
            image=artefacts.image.image_uri,
            image_repository=artefacts.image.repository.repository_uri,
            execution_role_arn=names.execution_role_arn(self.endpoint_name),
            artefact_bucket=names.artefact_bucket,
            capture_destination=capture_destination,
            signing_key=names.signing_key_arn,
            signatures=environment.signatures,
        )
        settings = settings_of(endpoint, names.environment, places)
        self.fleet: dict[str, Any] = settings["fleet"]
        ssm.StringParameter(
            self,
            "Parameter",
            parameter_name=contract.endpoint_parameter(names.environment, self.endpoint_name),
            description=f"How new versions come onto {self.endpoint_name}",
            string_value=Stack.of(self).to_json_string(settings),
            # Advanced, which costs, only above 4 KB. Written out here instead, the tier could not be set back when a
            # policy shrinks: Parameter Store refuses that, and the deploy would fail.
            tier=ssm.ParameterTier.INTELLIGENT_TIERING,
        )
