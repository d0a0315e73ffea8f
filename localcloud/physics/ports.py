"""What physics needs from the rest of the local cloud, and the errors that cross those borders.

Sinks and stores are called with no physics lock held, mostly on the clock's thread: whatever is slow must queue.
"""

from typing import Any, Protocol

Headers = dict[str, str]
Answer = tuple[int, Headers, bytes]


class ObjectMissingError(LookupError):
    """There is no object at the URI."""


class ImageMissingError(LookupError):
    """The image URI is in no registry."""


class ModelArchiveError(ValueError):
    """The model data is not a readable tar.gz."""


class ContainerTimeoutError(Exception):
    """The container did not answer in time."""


class ContainerUnreachableError(Exception):
    """The container refused the connection or broke it off."""


class EventSink(Protocol):
    """EventBridge's default bus, as AWS services see it."""

    def __call__(self, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
        """Deliver one event."""


class AlarmActionSink(Protocol):
    """Whatever carries out an alarm's actions, such as SNS."""

    def __call__(self, action_arn: str, payload: dict[str, Any]) -> None:
        """Carry out one action; `payload` is the message that CloudWatch sends."""


class ObjectStore(Protocol):
    """S3, by ``s3://`` URI."""

    def get(self, uri: str) -> bytes:
        """Return the object's bytes, or raise `ObjectMissingError`."""

    def put(self, uri: str, body: bytes) -> None:
        """Write an object."""


class LogSink(Protocol):
    """CloudWatch Logs."""

    def __call__(self, group: str, stream: str, lines: list[tuple[int, str]]) -> None:
        """Append lines, each with its time in epoch milliseconds."""


class RunningContainer(Protocol):
    """One container on one instance."""

    @property
    def alive(self) -> bool:
        """Whether its process runs right now."""

    def ping(self) -> bool:
        """Whether it is healthy, without waiting: the outcome of the latest health check."""

    def invoke(self, body: bytes, headers: Headers, timeout: float) -> Answer:
        """Post to ``/invocations``; raise `ContainerTimeoutError` or `ContainerUnreachableError`."""

    def stop(self) -> None:
        """Begin to stop it, without waiting for the end."""


class ContainerRunner(Protocol):
    """What starts containers."""

    def start(
        self, image_uri: str, model_data: bytes | None, environment: dict[str, str], name: str
    ) -> RunningContainer:
        """Start a container named ``endpoint/variant/instance``.

        Raises `ImageMissingError` or `ModelArchiveError`; a container that merely fails to come up is returned, and
        never becomes healthy.
        """


class AccessError(Exception):
    """A role may not do something, or it cannot be done; the text says why."""


class RoleAccount(Protocol):
    """S3 and SNS as a role sees them; every call raises `AccessError` where it is refused."""

    def read(self, role_arn: str, uri: str) -> bytes:
        """Return an object."""

    def write(self, role_arn: str, uri: str, body: bytes, content_type: str, key: str | None) -> None:
        """Write an object, under a KMS key where one is given."""

    def publish(self, role_arn: str, topic_arn: str, message: str) -> None:
        """Publish to a topic."""
