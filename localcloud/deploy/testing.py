"""Fakes for tests of deployments: a small world of things, a function that answers, assemblies written by hand."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from botocore.session import Session

from localcloud.deploy.custom_resource import CustomResource
from localcloud.deploy.deployer import Deployer
from localcloud.deploy.errors import ResourceFailedError, UnsupportedError
from localcloud.deploy.report import Progress
from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.scope import Scope
from localcloud.deploy.state import Made

ACCOUNT, REGION = "123456789012", "us-east-1"
FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:answers"


@dataclass
class World:
    """What exists, what was done in which order, and what is to fail."""

    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    failures: dict[tuple[str, str], list[str | None]] = field(default_factory=dict)
    half_made: set[str] = field(default_factory=set)
    made: int = 0

    def fail(self, verb: str, logical_id: str, reason: str = "no luck", *, after: int = 0) -> None:
        """Let the next `verb` of a resource fail, or the one that follows `after` others."""
        self.failures[verb, logical_id] = [*[None] * after, reason]

    def act(self, verb: str, scope: Scope) -> None:
        """Log `verb`; fail if told to."""
        self.log.append((verb, scope.logical_id))
        outcomes = self.failures.get((verb, scope.logical_id))
        reason = outcomes.pop(0) if outcomes else None
        if reason is not None:
            raise ResourceFailedError(reason)

    def since(self, mark: int = 0) -> list[str]:
        """Return what was done after the first `mark` entries, as ``verb Name``."""
        return [f"{verb} {name}" for verb, name in self.log[mark:]]


@dataclass
class Thing(ResourceType):
    """A type whose `Fixed` and `Name` make a new resource, and whose other properties change in place."""

    world: World
    name: ClassVar[str] = "Test::Thing"
    handled: ClassVar[frozenset[str]] = frozenset({"Name", "Fixed", "Size", "Link", "Tags"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"Name", "Fixed"})
    name_property: ClassVar[str | None] = "Name"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn", "Size"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Make a thing; one that is in `half_made` exists though its creation fails."""
        self.world.made += 1
        identifier = desired.get("Name") or f"{scope.logical_id}-{self.world.made}"
        if scope.logical_id in self.world.half_made:
            scope.note(identifier)
            self.world.things[identifier] = dict(desired)
        self.world.act("create", scope)
        self.world.things[identifier] = dict(desired)
        return self._made(identifier, desired)

    def update(self, scope: Scope, made: Made, _old: Properties, new: Properties) -> Made:
        """Change a thing in place."""
        self.world.act("update", scope)
        self.world.things[made.physical_id] = dict(new)
        return self._made(made.physical_id, new)

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete a thing."""
        self.world.act("delete", scope)
        del self.world.things[made.physical_id]

    def _made(self, identifier: str, properties: Properties) -> Made:
        return Made(identifier, {"Arn": f"arn:thing:{identifier}", "Size": properties.get("Size", 0)})


@cache
def service_model(service: str) -> Any:
    """Return botocore's model of a service."""
    return Session().get_service_model(service)


Answer = Callable[[dict[str, Any]], Mapping[str, Any] | None]


class FakeFunctions:
    """A Lambda client whose one function answers custom resource requests by `answer` (None: it never does)."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answer: Answer = answer or (lambda _request: {"Data": {}})
        self.meta = SimpleNamespace(service_model=service_model("lambda"))
        self._bodies: dict[str, bytes] = {}

    def client(self, _service: str) -> "FakeFunctions":
        """Return itself, whatever service is asked for."""
        return self

    def callback_url(self, token: str) -> tuple[str, Callable[[float], bytes]]:
        """Return a URL and what waits for an answer to it."""
        url = f"http://callback/{token}"
        return url, lambda _timeout: self._collect(url)

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:
        """Take a request as Lambda does, and answer it at once."""
        assert (FunctionName, InvocationType) == (FUNCTION_ARN, "Event")
        request = json.loads(Payload)
        self.requests.append(request)
        answer = self.answer(request)
        if answer is not None:
            echoed = {key: request[key] for key in ("RequestId", "StackId", "LogicalResourceId")}
            identity = {"PhysicalResourceId": request.get("PhysicalResourceId", "custom-1")}
            self._bodies[request["ResponseURL"]] = json.dumps(
                {"Status": "SUCCESS", **identity, **echoed, **answer}
            ).encode()
        return {"StatusCode": 202}

    def _collect(self, url: str) -> bytes:
        if url not in self._bodies:
            raise TimeoutError
        return self._bodies.pop(url)


@dataclass
class FakeImages:
    """An image registry that remembers what it was told."""

    registered: dict[str, tuple[Path, str]] = field(default_factory=dict)

    def register(self, uri: str, folder: Path, dockerfile: str = "Dockerfile") -> None:
        """Remember an image."""
        self.registered[uri] = (folder, dockerfile)


@dataclass
class Bench:
    """A deployer over a fake world, and a way to deploy templates written by hand."""

    folder: Path
    world: World = field(default_factory=World)
    functions: FakeFunctions = field(default_factory=FakeFunctions)
    images: FakeImages = field(default_factory=FakeImages)
    events: list[Progress] = field(default_factory=list)
    deployer: Deployer = field(init=False)

    def __post_init__(self) -> None:
        self.deployer = Deployer(
            self.functions.client,
            self.images,
            account=ACCOUNT,
            region=REGION,
            callback_url=self.functions.callback_url,
            pause=lambda _: None,
            catalogue=self._catalogue,
        )

    def _catalogue(self, name: str) -> ResourceType:
        if name.startswith("Custom::"):
            return CustomResource()
        if name != Thing.name:
            raise UnsupportedError(f"resource type {name} is not handled")
        return Thing(self.world)

    def deploy(self, resources: Mapping[str, Any], **sections: Any) -> list[str]:
        """Deploy one stack called ``app`` with `resources`; return what was done to the world."""
        return self.deploy_all({"app": {"Resources": resources, **sections}})

    def deploy_all(self, stacks: Mapping[str, Any], tags: Mapping[str, str] | None = None) -> list[str]:
        """Deploy stacks that depend on one another in the given order; return what was done to the world."""
        mark = len(self.world.log)
        write_assembly(self.folder, stacks, tags)
        self.events.clear()
        self.deployer.deploy(self.folder, self.events.append)
        return self.world.since(mark)

    def destroy(self) -> list[str]:
        """Destroy everything; return what was done to the world."""
        mark = len(self.world.log)
        self.events.clear()
        self.deployer.destroy(self.folder, self.events.append)
        return self.world.since(mark)

    def stack(self, name: str = "app") -> dict[str, Any]:
        """Return what the deployer says about a stack."""
        found: dict[str, Any] = self.deployer.stacks()[name]
        return found


def thing(**properties: Any) -> dict[str, Any]:
    """Return a resource of the type `Thing`; arguments in capitals-and-lower are properties."""
    attributes = {"DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy"}
    given = {key: value for key, value in properties.items() if key not in attributes}
    rest = {key: value for key, value in properties.items() if key in attributes}
    return {"Type": Thing.name, "Properties": given, **rest}


def custom(**properties: Any) -> dict[str, Any]:
    """Return a custom resource that the fake function serves."""
    return {"Type": "Custom::Fake", "Properties": {"ServiceToken": FUNCTION_ARN, **properties}}


def write_assembly(folder: Path, stacks: Mapping[str, Any], tags: Mapping[str, str] | None = None) -> Path:
    """Write a cloud assembly whose stacks depend on one another in the given order."""
    folder.mkdir(parents=True, exist_ok=True)
    artifacts: dict[str, Any] = {}
    for name, template in stacks.items():
        (folder / f"{name}.template.json").write_text(json.dumps(template), encoding="utf-8")
        properties = {"templateFile": f"{name}.template.json", "tags": dict(tags or {})}
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{ACCOUNT}/{REGION}",
            "properties": properties,
            "dependencies": list(artifacts),
        }
    (folder / "manifest.json").write_text(json.dumps({"version": "48.0.0", "artifacts": artifacts}), encoding="utf-8")
    return folder


@dataclass
class CallRecorder:
    """Notes the API operations of boto3 clients; a client is given it with `listen`."""

    operations: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def listen(self, client: Any) -> Any:
        """Note every operation of `client` from now on."""
        client.meta.events.register("before-call", self._note)
        return client

    def _note(self, model: Any, **_more: Any) -> None:
        with self._lock:
            self.operations.append(f"{model.service_model.service_name}:{model.name}")

    def mutations(self) -> list[str]:
        """Return the operations that are not reads."""
        reads = ("Get", "Head", "Describe", "List")
        return [name for name in self.operations if not name.split(":")[1].startswith(reads)]
