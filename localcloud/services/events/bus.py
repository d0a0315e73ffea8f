"""Event buses: which rules an event fits, and its way to their targets."""

import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from moto.events.models import events_backends

from localcloud.clock import Clock
from localcloud.front.moto_store import MotoStore
from localcloud.services.deliveries import Deliveries, DeliveryError, Parcel, Sender
from localcloud.services.events.envelope import Event, new_event, target_input
from localcloud.services.events.faults import EventFaults
from localcloud.services.functions.log_shipper import MetricSink

_log = logging.getLogger(__name__)
_SERVICE = "events.amazonaws.com"
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0
_DEFAULT_ATTEMPTS = 185
_DEFAULT_AGE = 86400


@dataclass
class _Delivery:
    """One event on its way to one target."""

    event: Event
    rule_arn: str
    target: Mapping[str, Any]
    born_at: float
    attempts: int = 0


class EventBus:
    """Takes events and delivers them at least once.

    Parameters
    ----------
    store
        moto, which keeps buses, rules and targets.
    clock
        Times events and retries.
    account, region
        Whose bus it is.
    deliveries
        Brings events to targets.
    metrics
        Takes the metrics of the namespace AWS/Events.
    """

    def __init__(
        self, store: MotoStore, clock: Clock, account: str, region: str, deliveries: Deliveries, metrics: MetricSink
    ) -> None:
        self.faults = EventFaults()
        self._store = store
        self._clock = clock
        self._account = account
        self._region = region
        self._deliveries = deliveries
        self._metrics = metrics
        self._closed = False
        self._executor = ThreadPoolExecutor(max_workers=8, thread_name_prefix="localcloud-events")

    def emit(self, source: str, detail_type: str, detail: Mapping[str, Any], resources: list[str]) -> None:
        """Send an event of a service of AWS to the default bus; returns at once."""
        event = new_event(self._account, self._region, source, detail_type, detail, resources, self._clock.now())
        self.send(event)

    def send(self, event: Event, bus: str = "default") -> None:
        """Send an event to a bus; returns at once."""
        if self.faults.loses(event) or self._closed:
            return
        self._submit(lambda: self._route(event, bus))

    def fire(self, rule: Any, event: Event) -> None:
        """Deliver a schedule's event to its rule's targets, whatever its pattern."""
        if not self.faults.loses(event):
            self._submit(lambda: self._deliver_all(rule, event))

    def rules(self, bus: str = "default") -> list[Any]:
        """Return a bus's rules."""
        buses = events_backends[self._account][self._region].event_buses
        with self._store.lock:
            return list(buses[bus].rules.values()) if bus in buses else []

    def has_bus(self, bus: str) -> bool:
        """Whether there is such a bus."""
        return bus in events_backends[self._account][self._region].event_buses

    def close(self) -> None:
        """Deliver nothing more."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _submit(self, action: Any) -> None:
        try:
            self._executor.submit(_logged, action)
        except RuntimeError:  # closed meanwhile
            return

    def _route(self, event: Event, bus: str) -> None:
        for rule in self.rules(bus):
            # A rule that has a schedule only would fit every event, as moto sees it.
            has_pattern = rule.event_pattern.dump() is not None
            if rule.state == "ENABLED" and has_pattern and rule.event_pattern.matches_event(event):
                self._deliver_all(rule, event)

    def _deliver_all(self, rule: Any, event: Event) -> None:
        self._count(rule.arn, "MatchedEvents")
        copies = 2 if self.faults.duplicate_events else 1
        for target in list(rule.targets):
            for _ in range(copies):
                delivery = _Delivery(event, rule.arn, target, self._clock.now())
                self._submit(lambda delivery=delivery: self._deliver(delivery))

    def _deliver(self, delivery: _Delivery) -> None:
        body = target_input(delivery.target, delivery.event, delivery.rule_arn)
        group = delivery.target.get("SqsParameters", {}).get("MessageGroupId")
        self._count(delivery.rule_arn, "Invocations")
        try:
            sender = Sender(_SERVICE, delivery.rule_arn)
            self._deliveries.send(delivery.target["Arn"], Parcel(body, group=group), sender)
        except DeliveryError as error:
            self._count(delivery.rule_arn, "FailedInvocations")
            self._retry(delivery, error)

    def _retry(self, delivery: _Delivery, error: DeliveryError) -> None:
        policy = delivery.target.get("RetryPolicy", {})
        aged = self._clock.now() - delivery.born_at > policy.get("MaximumEventAgeInSeconds", _DEFAULT_AGE)
        exhausted = delivery.attempts >= policy.get("MaximumRetryAttempts", _DEFAULT_ATTEMPTS)
        if not error.retryable or aged or exhausted:
            condition = None if not error.retryable else "MaximumEventAge" if aged else "MaximumRetryAttempts"
            self._bury(delivery, error, condition)
            return
        pause = min(_FIRST_PAUSE * 2**delivery.attempts, _LONGEST_PAUSE)
        delivery.attempts += 1
        self._clock.call_later(pause, lambda: self._submit(lambda: self._deliver(delivery)))

    def _bury(self, delivery: _Delivery, error: DeliveryError, condition: str | None) -> None:
        """Put an event that could not be delivered into the target's dead-letter queue."""
        _log.warning("EventBridge could not deliver %s to %s: %s", delivery.rule_arn, delivery.target["Arn"], error)
        queue = delivery.target.get("DeadLetterConfig", {}).get("Arn")
        if not queue:
            return
        attributes = {
            "RULE_ARN": delivery.rule_arn,
            "TARGET_ARN": delivery.target["Arn"],
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": error.message,
            "RETRY_ATTEMPTS": str(delivery.attempts),
        }
        if condition:
            attributes["EXHAUSTED_RETRY_CONDITION"] = condition
        try:
            parcel = Parcel(json.dumps(delivery.event), attributes)
            self._deliveries.send(queue, parcel, Sender(_SERVICE, delivery.rule_arn))
            self._count(delivery.rule_arn, "InvocationsSentToDlq")
        except DeliveryError as failure:
            self._count(delivery.rule_arn, "InvocationsFailedToBeSentToDlq")
            _log.warning("the dead letter of %s is lost: %s", delivery.rule_arn, failure)

    def _count(self, rule_arn: str, name: str) -> None:
        rule = rule_arn.rsplit("/", 1)[-1]
        self._metrics("AWS/Events", name, {"RuleName": rule}, 1.0, "Count", self._clock.now())


def _logged(action: Any) -> None:
    """Run a delivery; what breaks in the local cloud itself must not vanish in a thread."""
    try:
        action()
    except Exception:
        _log.exception("a delivery failed in the local cloud itself")
