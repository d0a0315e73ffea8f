"""API Gateway as a whole: its services, which configure APIs, and the gateway, which serves them."""

from collections.abc import Callable
from urllib.parse import quote

from localcloud.credentials import CredentialStore
from localcloud.front.authorizer import Authorizer
from localcloud.front.permissions import Need, Scope
from localcloud.service import Service
from localcloud.services.api_gateway.admission import Admission
from localcloud.services.api_gateway.api_service import ApiService
from localcloud.services.api_gateway.authorization import Authorization
from localcloud.services.api_gateway.functions import Functions, Invoke
from localcloud.services.api_gateway.gateway import Gateway
from localcloud.services.api_gateway.integrations import Integrations
from localcloud.services.api_gateway.key_service import KeyService
from localcloud.services.api_gateway.lambda_authorizer import LambdaAuthorizers
from localcloud.services.api_gateway.part_service import PartService
from localcloud.services.api_gateway.records import Records, log_principal
from localcloud.services.api_gateway.request import PREFIX
from localcloud.services.api_gateway.rest_api import Apis
from localcloud.services.api_gateway.stage_service import StageService
from localcloud.services.api_gateway.usage import Plans
from localcloud.services.functions.log_shipper import Line, MetricSink

_SERVICE = "apigateway.amazonaws.com"


class ApiGateway:
    """REST APIs.

    Parameters
    ----------
    scope
        Account and region.
    authorizer
        Holds callers, and the gateway itself, against policies.
    credentials
        Tells who signed a request.
    invoke
        Invokes a function by ARN.
    metrics
        Takes the metrics of the namespace AWS/ApiGateway.
    ship
        Takes lines of access logs.
    """

    def __init__(
        self,
        scope: Scope,
        authorizer: Authorizer,
        credentials: CredentialStore,
        invoke: Invoke,
        metrics: MetricSink,
        ship: Callable[[Line], None],
    ) -> None:
        self._scope = scope
        self._authorizer = authorizer
        self._apis = Apis()
        self._plans = Plans()
        self._functions = Functions(invoke, self._function_refusal)
        self._authorizers = LambdaAuthorizers(self._functions)
        self._apis.removed.append(self._authorizers.flush)
        self.gateway = Gateway(
            self._apis,
            Authorization(credentials, authorizer.refusal, self._authorizers, scope.account, scope.region),
            Admission(self._plans),
            Integrations(self._functions),
            Records(metrics, ship, lambda: self._apis.account.get("cloudwatchRoleArn")),
            scope.account,
            scope.region,
        )

    def services(self) -> list[Service]:
        """Return the services that configure APIs."""
        return [
            ApiService(self._apis),
            PartService(self._apis),
            StageService(self._apis, self._authorizers.flush),
            KeyService(self._apis, self._plans, self._log_role_refusal),
        ]

    def path(self, api_id: str, stage: str) -> str:
        """Return where a stage is served, below the cloud's own address."""
        return f"{PREFIX}{api_id}/{quote(stage)}"

    def stages(self) -> list[tuple[str, str, str]]:
        """Return id and name of each API with the name of each of its stages."""
        apis = list(self._apis.by_id.values())
        return [(api.id, str(api.design.settings["name"]), stage) for api in apis for stage in sorted(api.stages)]

    def close(self) -> None:
        """Invoke nothing any more."""
        self._functions.close()

    def _function_refusal(self, arn: str, source_arn: str) -> str | None:
        return self._authorizer.service_refusal(_SERVICE, Need("lambda:InvokeFunction", arn), source_arn)

    def _log_role_refusal(self, role: str) -> str | None:
        if not self._authorizer.may_assume(role, _SERVICE):
            return f"{role} does not let {_SERVICE} assume it"
        streams = self._scope.arn("logs", "log-group:*:log-stream:*")
        return self._authorizer.refusal(log_principal(role), Need("logs:PutLogEvents", streams))
