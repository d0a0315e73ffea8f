"""Short ways to make REST APIs on a cloud, and to call them as their users do."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from localcloud.cloud import LocalCloud
from tests.localcloud.conftest import Workshop

ECHO = """
import json

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
"""
ANSWERS = """
import json

def handler(event, context):
    return json.loads(event["body"])
"""


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class RestApi:
    """An API that is being built, and called."""

    workshop: Workshop
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cloud: LocalCloud = self.workshop.cloud
        self.client = self.cloud.client("apigateway")
        self.name = self.workshop.name("api")
        made = self.client.create_rest_api(
            name=self.name, endpointConfiguration={"types": ["REGIONAL"]}, **self.settings
        )
        self.id: str = made["id"]
        self.resources: dict[str, str] = {"/": made["rootResourceId"]}
        self.stage = "live"

    def resource(self, path: str) -> str:
        """Return the id of the resource at `path`, which is made if need be."""
        if path not in self.resources:
            parent, _, part = path.rpartition("/")
            made = self.client.create_resource(restApiId=self.id, parentId=self.resource(parent or "/"), pathPart=part)
            self.resources[path] = made["id"]
        return self.resources[path]

    def method(self, verb: str, path: str, function: str, permit: bool = True, **settings: Any) -> None:
        """Let a function answer a method; `timeout` is the integration's in milliseconds."""
        where = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": verb}
        timeout = settings.pop("timeout", 29000)
        self.client.put_method(**where, **{"authorizationType": "NONE", **settings})
        arn = function if function.startswith("arn:") else self.workshop.function_arn(function)
        self.client.put_integration(
            **where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri_of(arn), timeoutInMillis=timeout
        )
        if permit:
            shown = "*" if verb == "ANY" else verb
            self.permit(function, f"*/{shown}{path}")

    def permit(self, function: str, method: str) -> None:
        source = f"arn:aws:execute-api:us-east-1:123456789012:{self.id}/{method}"
        self.workshop.permit(function, "apigateway.amazonaws.com", source)

    def authorizer(self, function: str, **settings: Any) -> str:
        uri = uri_of(self.workshop.function_arn(function))
        name = self.workshop.name("authorizer")
        made = self.client.create_authorizer(restApiId=self.id, name=name, authorizerUri=uri, **settings)
        self.permit(function, f"authorizers/{made['id']}")
        return str(made["id"])

    def deploy(self) -> str:
        """Serve the API as it is at its stage, and return the deployment's id."""
        return str(self.client.create_deployment(restApiId=self.id, stageName=self.stage)["id"])

    def patch_stage(self, **paths: Any) -> None:
        self.client.update_stage(
            restApiId=self.id,
            stageName=self.stage,
            patchOperations=[{"op": "replace", "path": path, "value": str(value)} for path, value in paths.items()],
        )

    def plan(self, **settings: Any) -> tuple[str, str, str]:
        """Return a usage plan of the stage, with id and value of a key in it."""
        plan = self.client.create_usage_plan(
            name=self.workshop.name("plan"), apiStages=[{"apiId": self.id, "stage": self.stage}], **settings
        )["id"]
        key = self.client.create_api_key(name=self.workshop.name("key"), enabled=True)
        self.client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
        return plan, key["id"], key["value"]

    def call(
        self, verb: str, path: str, body: bytes | str | None = None, headers: Any = None, host: str | None = None
    ) -> Answer:
        url = urlsplit(self.cloud.api_url(self.id, self.stage))
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
        connection.putrequest(verb, f"/{self.stage}{path}" if host else url.path + path, skip_host=host is not None)
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
        data = body.encode() if isinstance(body, str) else body
        if host:
            pairs.append(("Host", host))
        if data is not None:
            pairs.append(("Content-Length", str(len(data))))
        for name, value in pairs:
            connection.putheader(name, value)
        connection.endheaders(data)
        answer = connection.getresponse()
        got = Answer(answer.status, answer.headers, answer.read())
        connection.close()
        return got


def uri_of(function_arn: str) -> str:
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations"
