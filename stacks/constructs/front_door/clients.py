"""Who may call the API, and how much."""

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from lambdas import contract
from stacks.config.callers import Client


class ApiKeys(Construct):
    """An API key for each client.

    With tokens the authorizer names the key by its value, which then is no secret: nobody can show it but the
    authorizer. Else AWS makes the value, and it stands in no template.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    endpoint_name
        SageMaker name of the endpoint.
    clients
        Who calls.
    named_by_tokens
        Whether a token says who calls.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        clients: tuple[Client, ...],
        named_by_tokens: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self._clients, self._endpoint_name, self._named_by_tokens = clients, endpoint_name, named_by_tokens
        self.ids = {client.name: self._key(client).ref for client in clients}

    def admit(self, stage: apigateway.Stage) -> None:
        """Give each client a usage plan of a stage."""
        for client in self._clients:
            self._plan(client, stage)

    def _key(self, client: Client) -> apigateway.CfnApiKey:
        value = contract.front_door_key(self._endpoint_name, client.name) if self._named_by_tokens else None
        return apigateway.CfnApiKey(
            self,
            f"Key-{client.name}",
            name=f"{self._endpoint_name}-{client.name}",
            description=f"{client.name}, a client of {self._endpoint_name}",
            enabled=True,
            value=value,
        )

    def _plan(self, client: Client, stage: apigateway.Stage) -> None:
        plan = apigateway.CfnUsagePlan(
            self,
            f"Plan-{client.name}",
            description=f"What {client.name} may send to {self._endpoint_name}",
            throttle=apigateway.CfnUsagePlan.ThrottleSettingsProperty(
                rate_limit=client.requests_per_second, burst_limit=client.burst
            ),
            quota=_quota(client),
            api_stages=[
                apigateway.CfnUsagePlan.ApiStageProperty(api_id=stage.rest_api.rest_api_id, stage=stage.stage_name)
            ],
        )
        apigateway.CfnUsagePlanKey(
            self,
            f"Member-{client.name}",
            key_id=self.ids[client.name],
            key_type="API_KEY",
            usage_plan_id=plan.ref,
        )


def _quota(client: Client) -> apigateway.CfnUsagePlan.QuotaSettingsProperty | None:
    if client.monthly_requests is None:
        return None
    return apigateway.CfnUsagePlan.QuotaSettingsProperty(limit=client.monthly_requests, period="MONTH")
