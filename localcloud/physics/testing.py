"""Stand-ins for what physics needs, for tests and simulations in virtual time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localcloud.physics.ports import Answer, Headers, ImageMissingError, ObjectMissingError

Behaviour = Callable[[bytes, Headers], Answer]


def echo(body: bytes, headers: Headers) -> Answer:
    """Answer with the request's own body and content type."""
    return 200, {"content-type": headers["Content-Type"]}, body


@dataclass
class FakeContainer:
    """A container that does what `behaviour` says; `healthy` and `alive` are set by the test."""

    name: str
    image_uri: str
    model_data: bytes | None
    environment: dict[str, str]
    behaviour: Behaviour = echo
    healthy: bool = True
    alive: bool = True
    stopped: bool = False

    def ping(self) -> bool:
        """Return whether it is healthy."""
        return self.healthy and self.alive

    def invoke(self, body: bytes, headers: Headers, timeout: float) -> Answer:  # noqa: ARG002 - the port's
        """Answer as it behaves."""
        return self.behaviour(body, headers)

    def stop(self) -> None:
        """Stop at once."""
        self.stopped, self.alive = True, False


@dataclass
class FakeContainers:
    """Starts `FakeContainer`; behaviours and health go by image URI."""

    images: set[str] | None = None
    """URIs that exist; None for any."""
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    unhealthy_images: set[str] = field(default_factory=set)
    started: list[FakeContainer] = field(default_factory=list)

    def start(self, image_uri: str, model_data: bytes | None, environment: dict[str, str], name: str) -> FakeContainer:
        """Start a container."""
        if self.images is not None and image_uri not in self.images:
            raise ImageMissingError(image_uri)
        behaviour = self.behaviours.get(image_uri, echo)
        healthy = image_uri not in self.unhealthy_images
        container = FakeContainer(name, image_uri, model_data, environment, behaviour, healthy)
        self.started.append(container)
        return container

    def running(self) -> list[FakeContainer]:
        """Return what has not been stopped."""
        return [container for container in self.started if not container.stopped]


@dataclass
class MemoryObjects:
    """S3 in memory."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def get(self, uri: str) -> bytes:
        """Return an object."""
        if uri not in self.objects:
            raise ObjectMissingError(uri)
        return self.objects[uri]

    def put(self, uri: str, body: bytes) -> None:
        """Write an object."""
        self.objects[uri] = body


@dataclass
class RecordedEvents:
    """An event bus that remembers."""

    events: list[tuple[str, str, dict[str, Any], list[str]]] = field(default_factory=list)

    def __call__(self, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
        self.events.append((source, detail_type, detail, resources))

    def details(self, detail_type: str) -> list[dict[str, Any]]:
        """Return the details of all events of one type."""
        return [detail for _, kind, detail, _ in self.events if kind == detail_type]


@dataclass
class RecordedActions:
    """Alarm actions, remembered."""

    actions: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, action_arn: str, payload: dict[str, Any]) -> None:
        self.actions.append((action_arn, payload))
