"""EventBridge's API, as far as moto cannot answer it: events themselves, and rules that must be understood here."""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from localcloud.clock import Clock
from localcloud.errors import AwsError, NotSimulatedError
from localcloud.service import Service, operation
from localcloud.services import object_events
from localcloud.services.events.bus import EventBus
from localcloud.services.events.envelope import new_event
from localcloud.services.events.schedules import parse_schedule

Params = Mapping[str, Any]

RULE_CHANGES = ("events:PutRule", "events:DeleteRule", "events:EnableRule", "events:DisableRule")
"""Operations after which schedules may be others."""

_FILTERS = frozenset(
    ["prefix", "suffix", "exists", "anything-but", "numeric", "cidr", "wildcard", "equals-ignore-case"]
)
_TARGET_MEMBERS = frozenset(
    ["Id", "Arn", "Input", "InputPath", "InputTransformer", "RetryPolicy", "DeadLetterConfig", "SqsParameters"]
)
_TARGET_SERVICES = ("lambda", "sqs", "sns")
_LONGEST_ENTRY = 1024 * 1024


class EventService(Service):
    """Takes clients' events.

    Parameters
    ----------
    bus
        Delivers them.
    clock
        Times them.
    account, region
        Whose bus it is.
    """

    name: ClassVar[str] = "events"

    def __init__(self, bus: EventBus, clock: Clock, account: str, region: str) -> None:
        self._bus = bus
        self._clock = clock
        self._account = account
        self._region = region

    @operation("PutEvents")
    def put_events(self, params: Params) -> dict[str, Any]:
        """Take events; an entry that is not acceptable is answered with its reason, beside the others' ids."""
        answers = [self._put(entry) for entry in params["Entries"]]
        return {"Entries": answers, "FailedEntryCount": sum("ErrorCode" in answer for answer in answers)}

    def _put(self, entry: Params) -> dict[str, Any]:
        for required in ("Source", "DetailType", "Detail"):
            if not entry.get(required):
                message = f"Parameter {required} is not valid. Reason: {required} is a required argument."
                return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
        detail = _detail(entry["Detail"])
        if detail is None:
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        bus = str(entry.get("EventBusName", "default")).rsplit("/", 1)[-1]
        if not self._bus.has_bus(bus):
            return {"EventId": str(uuid.uuid4())}  # EventBridge, too, takes it and drops it
        given = entry.get("Time")
        at = given.timestamp() if isinstance(given, datetime) else self._clock.now()
        resources = list(entry.get("Resources", []))
        event = new_event(self._account, self._region, entry["Source"], entry["DetailType"], detail, resources, at)
        self._bus.send(event, bus)
        return {"EventId": event["id"]}


def _detail(text: str) -> dict[str, Any] | None:
    try:
        detail = json.loads(text)
    except ValueError:
        return None
    return detail if isinstance(detail, dict) and len(text) <= _LONGEST_ENTRY else None


def check_rule(params: Params) -> None:
    """Raise an error for a rule that would not mean here what it means on AWS."""
    if params.get("ScheduleExpression"):
        parse_schedule(params["ScheduleExpression"])
    if params.get("EventPattern"):
        try:
            pattern = json.loads(params["EventPattern"])
            _check_pattern(pattern)
        except ValueError as error:
            raise AwsError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {error}") from error
        _check_object_events(pattern)


def _check_object_events(pattern: Mapping[str, Any]) -> None:
    """Refuse a rule that waits for events of S3 that nothing here sends."""
    if object_events.SOURCE in pattern.get("source", []):
        for kind in pattern.get("detail-type", []):
            if isinstance(kind, str) and kind != object_events.CREATED:
                raise NotSimulatedError(f"S3 event {kind!r}")


def _check_pattern(node: Mapping[str, Any]) -> None:
    for key, value in node.items():
        if isinstance(value, dict):
            _check_pattern(value)
        elif not isinstance(value, list):
            raise AwsError(
                "InvalidEventPatternException",
                f'Event pattern is not valid. Reason: "{key}" must be an object or an array',
            )
        elif key == "$or":
            for alternative in value:
                _check_pattern(alternative)
        else:
            _check_filters(value)


def _check_filters(filters: list[Any]) -> None:
    for item in filters:
        unknown = set(item) - _FILTERS if isinstance(item, dict) else set()
        if unknown:
            raise NotSimulatedError(f"event pattern filter {sorted(unknown)[0]!r}")


def check_targets(params: Params) -> None:
    """Raise an error for a target that nothing here delivers to."""
    for target in params["Targets"]:
        unknown = set(target) - _TARGET_MEMBERS
        if unknown:
            raise NotSimulatedError(f"EventBridge target setting {sorted(unknown)[0]}")
        if target["Arn"].split(":")[2] not in _TARGET_SERVICES:
            raise NotSimulatedError(f"EventBridge target {target['Arn']}")
