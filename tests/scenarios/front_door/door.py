"""A front door as its callers know it: an address, and HTTP."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from lambdas import contract
from lambdas.inference.problems import CONTENT_TYPE, TYPE_PREFIX
from localcloud.cloud import LocalCloud

ENVIRONMENT = "local"
ROW = [33.6, 28.7, 1023.8, 5.3, 5.7, 10.1, 34, 32]
JSON = {"Content-Type": "application/json"}
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def problem(self, status: int, slug: str) -> dict[str, Any]:
        """Return the problem document that this is; nothing of it may be anything else."""
        told = f"{self.status} {self.headers} {self.body[:1000]!r}"
        assert (self.status, self.headers["Content-Type"]) == (status, CONTENT_TYPE), told
        document: dict[str, Any] = self.json
        assert (document["type"], document["status"]) == (f"{TYPE_PREFIX}{slug}", status), told
        assert document["title"], told
        assert document["detail"], told
        assert document["instance"].startswith("urn:tidegate:"), told
        return document


@dataclass(frozen=True)
class Door:
    """The front door of an endpoint.

    Parameters
    ----------
    cloud
        Where it is.
    name
        The endpoint's name in the environment's file.
    """

    cloud: LocalCloud
    name: str

    @property
    def endpoint(self) -> str:
        return contract.endpoint_name(ENVIRONMENT, self.name)

    @cached_property
    def _told(self) -> dict[str, str]:
        parameter = contract.front_door_parameter(ENVIRONMENT, self.endpoint)
        told: dict[str, str] = json.loads(self.cloud.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"])
        return told

    @property
    def url(self) -> str:
        """Return where the API is, as operators are told."""
        return self.cloud.api_url(self._told["api"], self._told["stage"])

    @property
    def arn(self) -> str:
        """Return the ARN below which its methods are."""
        cloud = self.cloud
        return f"arn:aws:execute-api:{cloud.region}:{cloud.account}:{self._told['api']}/{self._told['stage']}"

    @cached_property
    def keys(self) -> dict[str, str]:
        """Return the clients' API keys by the clients' names."""
        listed = self.cloud.client("apigateway").get_api_keys(nameQuery=f"{self.endpoint}-", includeValues=True)
        return {each["name"].removeprefix(f"{self.endpoint}-"): each["value"] for each in listed["items"]}

    def key(self, client: str) -> dict[str, str]:
        """Return the header by which a client is known."""
        return {"X-Api-Key": self.keys[client]}

    def function(self, handler: str) -> str:
        """Return the name of one of its functions."""
        return contract.front_door_function(ENVIRONMENT, self.name, handler)

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request as it is; what is no bytes is sent as JSON."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        at = urlsplit(self.url)
        connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=_PATIENCE_SECONDS)
        try:
            connection.request(method, f"{at.path.rstrip('/')}{path}", content, dict(headers or {}))
            came = connection.getresponse()
            return Answer(came.status, dict(came.headers), came.read())
        finally:
            connection.close()

    def predict(self, headers: Mapping[str, str], rows: Any = None) -> Answer:
        """Ask for predictions, of one good row unless others are given."""
        return self.send("POST", "/predictions", {"instances": [ROW] if rows is None else rows}, JSON | dict(headers))


def wait_for(look: Callable[[], Any], what: str, seconds: float = _PATIENCE_SECONDS) -> Any:
    """Return what `look` returns as soon as that is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
