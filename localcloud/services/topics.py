"""SNS from the inside: publishing for AWS services, and subscriptions that moto cannot serve."""

import json
import logging
from collections.abc import Callable
from typing import Any

from moto.sns import models as sns_models
from moto.sns.models import sns_backends

from localcloud.front.authorizer import Authorizer
from localcloud.front.moto_store import MotoStore
from localcloud.front.permissions import Need
from localcloud.services.queues import Queues

_log = logging.getLogger(__name__)
_INERT_PROTOCOLS = ("email", "email-json", "sms")
_SERVICE = "sns.amazonaws.com"

Invoke = Callable[[str, bytes], None]


class TopicMissingError(LookupError):
    """There is no such topic."""


class Topics:
    """The topics of the account.

    Parameters
    ----------
    store
        moto, which keeps them.
    account, region
        Whose they are.
    authorizer
        Tells whether SNS may deliver to a subscriber.
    queues
        Woken when a message went to one.
    invoke
        Invokes a function asynchronously, by ARN.
    """

    def __init__(
        self, store: MotoStore, account: str, region: str, authorizer: Authorizer, queues: Queues, invoke: Invoke
    ) -> None:
        self._store = store
        self._account = account
        self._region = region
        self._authorizer = authorizer
        self._queues = queues
        self._invoke = invoke
        self._original = sns_models.Subscription.publish
        self._patch()

    def publish(self, arn: str, message: str, subject: str | None = None) -> None:
        """Publish as a service of AWS does; raise `TopicMissingError` if the topic is gone."""
        backend: Any = sns_backends[self._account][self._region]
        with self._store.lock:
            if arn not in backend.topics:
                raise TopicMissingError(arn)
            backend.topics[arn].publish(message, subject=subject[:100] if subject else None)
        self._queues.wake()

    def close(self) -> None:
        """Give moto its own delivery back."""
        sns_models.Subscription.publish = self._original

    def _patch(self) -> None:
        original, deliver = self._original, self._deliver

        def publish(subscription: Any, message: str, message_id: str, **options: Any) -> None:
            deliver(original, subscription, message, message_id, options)

        sns_models.Subscription.publish = publish

    def _deliver(
        self, original: Callable[..., None], subscription: Any, message: str, message_id: str, options: dict[str, Any]
    ) -> None:
        """Deliver to one subscriber, if its own policy lets SNS; e-mails go nowhere."""
        if subscription.protocol in _INERT_PROTOCOLS:
            return
        refusal = self._refusal(subscription)
        if refusal is not None:
            _log.warning("SNS could not deliver to %s: %s", subscription.endpoint, refusal)
        elif subscription.protocol == "lambda":
            if _wanted(subscription, message, options):
                self._invoke(subscription.endpoint, _lambda_event(subscription, message, message_id, options))
        else:
            original(subscription, message, message_id, **options)

    def _refusal(self, subscription: Any) -> str | None:
        actions = {"sqs": "sqs:SendMessage", "lambda": "lambda:InvokeFunction"}
        action = actions.get(subscription.protocol)
        if action is None:
            return f"localcloud does not simulate SNS protocol {subscription.protocol}"
        return self._authorizer.service_refusal(_SERVICE, Need(action, subscription.endpoint), subscription.topic.arn)


def _wanted(subscription: Any, message: str, options: dict[str, Any]) -> bool:
    """Whether a message passes the subscription's filter."""
    matcher = subscription._filter_policy_matcher
    return matcher is None or bool(matcher.matches(options.get("message_attributes"), message))


def _lambda_event(subscription: Any, message: str, message_id: str, options: dict[str, Any]) -> bytes:
    if options.get("message_structure") == "json":
        message = subscription._parse_message_structure(message, "lambda")
    data = subscription.get_post_data(
        message, message_id, options.get("subject"), message_attributes=options.get("message_attributes")
    )
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "Sns": {**data, "MessageAttributes": options.get("message_attributes") or {}},
    }
    return json.dumps({"Records": [record]}).encode()
