"""The API itself: paths, who may call them, limits, and a log of who did."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas.inference.headers import REPLAYED
from lambdas.inference.routes import ANSWER_HEADERS, REQUEST_HEADERS, ROUTES, Route
from stacks.config import Endpoint
from stacks.config.front_door import Auth, FrontDoor
from stacks.constructs.front_door.refusals import refuse_in_words
from stacks.constructs.front_door.shared import Shared
from stacks.constructs.log_group import RetainedLogs

STAGE = "live"
_EXECUTION_LOGS = "API-Gateway-Execution-Logs"
_LONGEST = Duration.seconds(29)
"""API Gateway's own limit; the function answers before."""

_LOGGED = (
    "requestId",
    "requestTime",
    "identity.sourceIp",
    "identity.userArn",
    "identity.apiKeyId",
    "authorizer.client",
    "httpMethod",
    "resourcePath",
    "status",
    "responseLength",
    "responseLatency",
    "integrationLatency",
    "integration.status",
    "error.responseType",
)
"""Of the request's context; no bodies, no tokens and no keys."""

_ALLOWED_HEADERS = (
    "Authorization",
    "Content-Type",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "X-Api-Key",
    *REQUEST_HEADERS,
)
_SHOWN_HEADERS = (*ANSWER_HEADERS, REPLAYED)


class Api(Construct):
    """A regional REST API whose paths are answered by functions.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    shared
        What it shares with others.
    endpoint, door
        The endpoint, and its front door.
    functions
        What answers, by the handler's name; a route whose handler is missing does not exist.
    authorizer
        Tells what a token says, where callers bring one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        shared: Shared,
        endpoint: Endpoint,
        door: FrontDoor,
        functions: Mapping[str, lambda_.Alias],
        authorizer: apigateway.RequestAuthorizer | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._door, self._authorizer = door, authorizer
        name = endpoint.full_name(shared.environment.environment)
        logs = RetainedLogs(self, "AccessLogs", environment=shared.environment, key=shared.key)
        self.rest = apigateway.RestApi(
            self,
            "Rest",
            rest_api_name=name,
            description=f"Predictions of {name}",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            api_key_source_type=_key_source(door.auth),
            cloud_watch_role=False,
            deploy_options=self._stage(logs),
        )
        resource = self.rest.node.default_child
        assert isinstance(resource, apigateway.CfnRestApi)
        resource.security_policy = "TLS_1_2"
        for route in ROUTES:
            if route.is_there(jobs="jobs" in functions, keyed=door.serves_batches):
                self._route(route, functions[route.handler])
        refuse_in_words(self, self.rest, door.cors_origins)
        self._keep_execution_logs(shared)

    @property
    def stage(self) -> apigateway.Stage:
        """Return its only stage."""
        return self.rest.deployment_stage

    def _stage(self, logs: RetainedLogs) -> apigateway.StageOptions:
        written = {name.replace(".", "_"): f"$context.{name}" for name in _LOGGED}
        return apigateway.StageOptions(
            stage_name=STAGE,
            access_log_destination=apigateway.LogGroupLogDestination(logs),
            access_log_format=apigateway.AccessLogFormat.custom(_json_of(written)),
            logging_level=apigateway.MethodLoggingLevel.ERROR,
            data_trace_enabled=False,
            metrics_enabled=True,
            throttling_rate_limit=self._door.requests_per_second,
            throttling_burst_limit=self._door.burst,
        )

    def _keep_execution_logs(self, shared: Shared) -> None:
        """Make the group of the stage's execution logs before API Gateway does, whose own has neither an end nor a key.

        Its name is API Gateway's choice: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
        """
        name = f"{_EXECUTION_LOGS}_{self.rest.rest_api_id}/{STAGE}"
        group = RetainedLogs(self, "ExecutionLogs", environment=shared.environment, key=shared.key, name=name)
        self.stage.node.add_dependency(group)

    def _route(self, route: Route, function: lambda_.Alias) -> None:
        resource = self.rest.root.resource_for_path(route.path)
        if self._door.cors_origins and resource.node.try_find_child("OPTIONS") is None:
            self._let_pages_call(resource)
        resource.add_method(
            route.method,
            apigateway.LambdaIntegration(function, allow_test_invoke=False, timeout=_LONGEST),
            authorization_type=_AUTHORIZATION[self._door.auth],
            authorizer=self._authorizer,
            api_key_required=self._door.auth != "iam",
        )

    def _let_pages_call(self, resource: apigateway.Resource) -> None:
        resource.add_cors_preflight(
            allow_origins=list(self._door.cors_origins),
            allow_methods=["GET", "POST"],
            allow_headers=list(_ALLOWED_HEADERS),
            expose_headers=list(_SHOWN_HEADERS),
            max_age=Duration.hours(1),
        )


_AUTHORIZATION: dict[Auth, apigateway.AuthorizationType] = {
    "api_key": apigateway.AuthorizationType.NONE,
    "iam": apigateway.AuthorizationType.IAM,
    "jwt": apigateway.AuthorizationType.CUSTOM,
}


def _key_source(auth: Auth) -> apigateway.ApiKeySourceType:
    return apigateway.ApiKeySourceType.AUTHORIZER if auth == "jwt" else apigateway.ApiKeySourceType.HEADER


def _json_of(fields: Mapping[str, str]) -> str:
    """Return a template of JSON, for values without quotation marks: each is put in as it is."""
    return "{" + ",".join(f'"{name}":"{value}"' for name, value in fields.items()) + "}"
