"""Deliveries from AWS services and functions to queues, topics and functions, under the policies of both sides."""

from collections.abc import Callable
from dataclasses import dataclass

from localcloud.credentials import Principal
from localcloud.errors import AwsError
from localcloud.front.authorizer import Authorizer
from localcloud.front.permissions import Need
from localcloud.services.queues import QueueMissingError, Queues
from localcloud.services.topics import TopicMissingError, Topics

_ACTIONS = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}


class DeliveryError(Exception):
    """A target did not take what was sent.

    Parameters
    ----------
    code
        As EventBridge writes it into dead letters.
    message
        What a person reads.
    retryable
        Whether another attempt may succeed.
    """

    def __init__(self, code: str, message: str, retryable: bool = False) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retryable = retryable


@dataclass(frozen=True)
class Sender:
    """Who sends: a service of AWS on behalf of a resource, or a role."""

    service: str = ""
    source_arn: str = ""
    principal: Principal | None = None


@dataclass(frozen=True)
class Parcel:
    """What is sent."""

    body: str
    attributes: dict[str, str] | None = None
    subject: str | None = None
    group: str | None = None


class Deliveries:
    """Sends to whatever an ARN names.

    Parameters
    ----------
    authorizer
        Tells whether the sender may.
    queues, topics
        Targets.
    invoke
        Invokes a function asynchronously, by ARN.
    """

    def __init__(
        self, authorizer: Authorizer, queues: Queues, topics: Topics, invoke: Callable[[str, bytes], object]
    ) -> None:
        self._authorizer = authorizer
        self._queues = queues
        self._topics = topics
        self._invoke = invoke

    def send(self, target: str, parcel: Parcel, sender: Sender) -> None:
        """Send; raise `DeliveryError` when the target is not there, or not allowed."""
        service = target.split(":")[2]
        if service not in _ACTIONS:
            raise DeliveryError("NOT_SIMULATED", f"deliveries to {service} are not simulated by localcloud ({target})")
        self._check_permission(Need(_ACTIONS[service], target), sender)
        try:
            self._hand_over(service, target, parcel)
        except (QueueMissingError, TopicMissingError) as error:
            raise DeliveryError("RESOURCE_NOT_FOUND", f"{error} does not exist") from error
        except AwsError as error:
            throttled = error.code == "TooManyRequestsException"
            code = "THROTTLING" if throttled else "RESOURCE_NOT_FOUND"
            raise DeliveryError(code, error.message, retryable=throttled) from error

    def _check_permission(self, need: Need, sender: Sender) -> None:
        if sender.principal is not None:
            refusal = self._authorizer.refusal(sender.principal, need)
        else:
            refusal = self._authorizer.service_refusal(sender.service, need, sender.source_arn)
        if refusal is not None:
            raise DeliveryError("NO_PERMISSIONS", refusal)

    def _hand_over(self, service: str, target: str, parcel: Parcel) -> None:
        if service == "sqs":
            self._queues.send(target, parcel.body, parcel.attributes, parcel.group)
        elif service == "sns":
            self._topics.publish(target, parcel.body, parcel.subject)
        else:
            self._invoke(target, parcel.body.encode())
