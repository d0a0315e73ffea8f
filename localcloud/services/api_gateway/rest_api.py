"""A REST API: its design, which is edited, and the snapshots of it, which are served."""

import copy
import secrets
import string
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from localcloud.services.api_gateway.problems import bad_request, missing
from localcloud.services.api_gateway.routes import Router

_ALPHABET = string.ascii_lowercase + string.digits
Record = dict[str, Any]


def identifier(length: int = 10) -> str:
    """Return a new identifier in the form of API Gateway's."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


@dataclass
class Design:
    """What a deployment takes a copy of."""

    settings: Record
    resources: dict[str, Record] = field(default_factory=dict)
    authorizers: dict[str, Record] = field(default_factory=dict)
    validators: dict[str, Record] = field(default_factory=dict)
    models: dict[str, Record] = field(default_factory=dict)
    gateway_responses: dict[str, Record] = field(default_factory=dict)

    def resource(self, resource_id: str) -> Record:
        """Return a resource; raise `AwsError` if it is not there."""
        found = self.resources.get(resource_id)
        if found is None:
            raise missing("Resource", resource_id)
        return found

    def method(self, resource_id: str, http_method: str) -> Record:
        """Return a method of a resource; raise `AwsError` if it is not there."""
        found: Record | None = self.resource(resource_id)["resourceMethods"].get(http_method)
        if found is None:
            raise missing("Method", http_method)
        return found

    def check_deployable(self) -> None:
        """Raise `AwsError` unless there are methods, each with an integration."""
        methods = [method for resource in self.resources.values() for method in resource["resourceMethods"].values()]
        if not methods:
            raise bad_request("The REST API doesn't contain any methods")
        if any("methodIntegration" not in method for method in methods):
            raise bad_request("No integration defined for method")


@dataclass(frozen=True)
class Snapshot:
    """An API as it was when it was deployed; nothing changes it."""

    deployment_id: str
    design: Design

    @cached_property
    def router(self) -> Router:
        """Return what finds resources by path."""
        return Router(self.design.resources.values())


@dataclass(frozen=True)
class Deployment:
    """A snapshot and what is told of it."""

    record: Record
    snapshot: Snapshot


@dataclass(frozen=True)
class Stage:
    """A named place at which a snapshot is served; replaced as a whole, so that no request sees half a change."""

    record: Record
    snapshot: Snapshot


class RestApi:
    """An API with its deployments and stages.

    Parameters
    ----------
    api_id
        Its identifier.
    settings
        What CreateRestApi was told.
    """

    def __init__(self, api_id: str, settings: Record) -> None:
        self.id = api_id
        self.root_id = identifier()
        self.created = time.time()
        root = {"id": self.root_id, "path": "/", "resourceMethods": {}}
        self.design = Design(settings, resources={self.root_id: root})
        self.deployments: dict[str, Deployment] = {}
        self.stages: dict[str, Stage] = {}

    def describe(self) -> Record:
        """Return what GetRestApi shows."""
        return {
            "id": self.id,
            "createdDate": self.created,
            "rootResourceId": self.root_id,
            **self.design.settings,
        }

    def deploy(self, description: str | None) -> Deployment:
        """Take a snapshot."""
        self.design.check_deployable()
        deployment_id = identifier(6)
        record: Record = {"id": deployment_id, "createdDate": time.time()}
        if description:
            record["description"] = description
        made = Deployment(record, Snapshot(deployment_id, copy.deepcopy(self.design)))
        self.deployments[deployment_id] = made
        return made

    def deployment(self, deployment_id: str) -> Deployment:
        """Return a deployment; raise `AwsError` if it is not there."""
        found = self.deployments.get(deployment_id)
        if found is None:
            raise missing("Deployment", deployment_id)
        return found

    def stage(self, name: str) -> Stage:
        """Return a stage; raise `AwsError` if it is not there."""
        found = self.stages.get(name)
        if found is None:
            raise missing("stage", name)
        return found


class Apis:
    """All REST APIs of the account, and the account's settings."""

    def __init__(self) -> None:
        self.by_id: dict[str, RestApi] = {}
        self.account: Record = {"throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0}, "apiKeyVersion": "4"}
        self.lock = threading.RLock()
        self.removed: list[Callable[[str], None]] = []
        """Told the id of an API that is gone."""

    def get(self, api_id: str) -> RestApi:
        """Return an API; raise `AwsError` if it is not there."""
        found = self.by_id.get(api_id)
        if found is None:
            raise missing("API", api_id)
        return found

    def stage(self, api_id: str, name: str) -> Stage | None:
        """Return a stage, or None."""
        api = self.by_id.get(api_id)
        return api.stages.get(name) if api is not None else None
