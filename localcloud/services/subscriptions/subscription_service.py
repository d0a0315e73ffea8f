"""The API of subscription filters, and the way of log events to them."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.front.permissions import Scope
from localcloud.service import Service, operation
from localcloud.services.accepted import ANY, OneOf, refuse_others
from localcloud.services.subscriptions.subscription import Event, Sender, Subscription, UndeliverableError

Params = Mapping[str, Any]
MOST_FILTERS = 2
"""Of a log group ("CloudWatch Logs quotas")."""

_SERVICE = "logs.amazonaws.com"
_TRIES = 5
_ACCEPTED = {
    "logGroupName": ANY,
    "filterName": ANY,
    "filterPattern": ANY,
    "destinationArn": ANY,
    "roleArn": ANY,
    "distribution": OneOf("ByLogStream", "Random"),
}

_log = logging.getLogger(__name__)


class SubscriptionService(Service):
    """Keeps subscription filters, and sends them what is logged.

    Parameters
    ----------
    scope
        Account and region.
    sender
        Sends events to destinations.
    has_group
        Tells whether there is a log group.
    may_assume
        Tells whether a role lets a service assume it for a log group.
    retry_seconds
        Pause before events that were not taken are sent again.
    """

    name: ClassVar[str] = "logs"

    def __init__(
        self,
        scope: Scope,
        sender: Sender,
        has_group: Callable[[str], bool],
        may_assume: Callable[[str, str, str], bool],
        retry_seconds: float,
    ) -> None:
        self._scope = scope
        self._sender = sender
        self._has_group = has_group
        self._may_assume = may_assume
        self._retry_seconds = retry_seconds
        self._filters: dict[str, dict[str, Subscription]] = {}
        self._logged: queue.SimpleQueue[tuple[str, str, list[Event]] | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="localcloud-subscriptions", daemon=True)
        self._thread.start()

    def take(self, group: str, stream: str, events: Sequence[Mapping[str, Any]]) -> None:
        """Queue what was logged; returns at once, for the log is locked meanwhile."""
        if self._filters.get(group):
            self._logged.put((group, stream, [(int(each["timestamp"]), str(each["message"])) for each in events]))

    def close(self) -> None:
        """Send what is queued, and end."""
        self._closing.set()
        self._logged.put(None)
        self._thread.join(10)

    @operation("PutSubscriptionFilter")
    def put(self, params: Params) -> dict[str, Any]:
        """Make a filter, or change the one of that name, once its destination takes what is sent."""
        refuse_others("logs:PutSubscriptionFilter", params, _ACCEPTED)
        group, name = params["logGroupName"], params["filterName"]
        self._check_group(group)
        others = [each for each in self._filters.get(group, {}) if each != name]
        if len(others) >= MOST_FILTERS:
            raise AwsError("LimitExceededException", f"{group} has {MOST_FILTERS} subscription filters already")
        made = self._read(params)
        try:
            self._sender.try_out(made)
        except UndeliverableError as error:
            message = "Could not deliver test message to specified Firehose stream. Check if the given Firehose stream "
            raise AwsError("InvalidParameterException", f"{message}is in ACTIVE state. ({error})") from error
        self._filters.setdefault(group, {})[name] = made
        return {}

    @operation("DescribeSubscriptionFilters")
    def describe(self, params: Params) -> dict[str, Any]:
        """Return the filters of a log group."""
        group, prefix = params["logGroupName"], params.get("filterNamePrefix", "")
        self._check_group(group)
        found = [each for name, each in sorted(self._filters.get(group, {}).items()) if name.startswith(prefix)]
        return {"subscriptionFilters": [_described(each) for each in found]}

    @operation("DeleteSubscriptionFilter")
    def delete(self, params: Params) -> dict[str, Any]:
        """Delete a filter."""
        group, name = params["logGroupName"], params["filterName"]
        self._check_group(group)
        if self._filters.get(group, {}).pop(name, None) is None:
            raise AwsError("ResourceNotFoundException", "The specified subscription filter does not exist.")
        return {}

    def _read(self, params: Params) -> Subscription:
        destination, role, group = params["destinationArn"], params.get("roleArn", ""), params["logGroupName"]
        parts = destination.split(":")
        if len(parts) < 6 or parts[2] != "firehose":
            raise NotSimulatedError(f"subscription filters to {destination} (here only to delivery streams)")
        if not role or not self._may_assume(role, _SERVICE, self._arn(group)):
            message = f"Could not assume role {role or '(none)'}; it must exist and trust {_SERVICE}"
            raise AwsError("InvalidParameterException", message)
        return Subscription(
            group,
            params["filterName"],
            params["filterPattern"],
            destination.rpartition("/")[2],
            destination,
            role,
            int(time.time() * 1000),
        )

    def _arn(self, group: str) -> str:
        return self._scope.arn("logs", f"log-group:{group}:*")

    def _check_group(self, group: str) -> None:
        if not self._has_group(group):
            self._filters.pop(group, None)
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")

    def _run(self) -> None:
        while (logged := self._logged.get()) is not None:
            group, stream, events = logged
            for each in list(self._filters.get(group, {}).values()):
                matching = [event for event in events if each.matches(event[1])]
                if matching:
                    self._send(each, stream, matching)

    def _send(self, to: Subscription, stream: str, events: list[Event]) -> None:
        """Send events, again if they are not taken; AWS tries for up to a day."""
        for attempt in range(1, _TRIES + 1):
            try:
                self._sender.send(to, stream, events)
                return
            except UndeliverableError as error:
                _log.warning("%s of %s, attempt %d: %s", to.name, to.group, attempt, error)
                if attempt == _TRIES or self._closing.wait(self._retry_seconds):
                    _log.warning("%d log events of %s were not delivered", len(events), to.group)
                    return


def _described(found: Subscription) -> dict[str, Any]:
    return {
        "filterName": found.name,
        "logGroupName": found.group,
        "filterPattern": found.pattern,
        "destinationArn": found.destination_arn,
        "roleArn": found.role_arn,
        "distribution": "ByLogStream",
        "applyOnTransformedLogs": False,
        "creationTime": found.created_at,
    }
