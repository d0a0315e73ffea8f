"""Application Auto Scaling by the clock: scheduled actions, which change the bounds of a scalable target."""

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from localcloud.clock import Clock, Timer
from localcloud.errors import AwsError
from localcloud.physics.autoscaling import AutoScalingService
from localcloud.physics.paging import page
from localcloud.physics.scaling_targets import Target
from localcloud.physics.times import to_datetime
from localcloud.service import Service, operation
from localcloud.services.events.schedules import Next, parse_schedule

_PAGE = 50
_KEPT = ("Schedule", "Timezone", "ScalableTargetAction")


@dataclass
class _Action:
    """A scheduled action, under the API's names, and the timer of its next time."""

    target: Target
    settings: dict[str, Any]
    when: Next
    once: bool
    timer: Timer | None = None


class ScheduledScaling(Service):
    """Scheduled actions of scalable targets.

    Parameters
    ----------
    autoscaling
        Keeps the targets.
    clock
        Tells the time.
    account, region
        For ARNs.
    """

    name = "application-autoscaling"

    def __init__(self, autoscaling: AutoScalingService, clock: Clock, account: str, region: str) -> None:
        self._autoscaling = autoscaling
        self._clock = clock
        self._prefix = f"arn:aws:autoscaling:{region}:{account}:scheduledAction:"
        self._lock = threading.Lock()
        self._actions: dict[tuple[str, str], _Action] = {}

    @operation("PutScheduledAction")
    def put_scheduled_action(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Create an action, or change what is given of one; times of beginning and end that are not given go."""
        target, key = self._autoscaling.find(request), _key(request)
        with self._lock:
            before = self._current(key)
            action = self._action(target, request, before.settings if before is not None else {})
            if before is not None and before.timer is not None:
                before.timer.cancel()
            self._actions[key] = action
            self._arm(key, action, max(self._clock.now(), _seconds(action.settings.get("StartTime"))))
        return {}

    @operation("DeleteScheduledAction")
    def delete_scheduled_action(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Delete an action."""
        with self._lock:
            if self._current(_key(request)) is None:
                raise AwsError(
                    "ObjectNotFoundException",
                    f"No scheduled action found for resource ID: {request['ResourceId']}, scheduled action name: "
                    f"{request['ScheduledActionName']}",
                )
            timer = self._actions.pop(_key(request)).timer
        if timer is not None:
            timer.cancel()
        return {}

    @operation("DescribeScheduledActions")
    def describe_scheduled_actions(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Describe actions."""
        with self._lock:
            found = [dict(a.settings) for key in self._actions if (a := self._current(key)) is not None]
        names = request.get("ScheduledActionNames")
        asked = [key for key in ("ServiceNamespace", "ResourceId", "ScalableDimension") if request.get(key)]
        fitting = [
            each
            for each in found
            if all(each[key] == request[key] for key in asked) and (not names or each["ScheduledActionName"] in names)
        ]
        chosen, token = page(fitting, request.get("NextToken"), int(request.get("MaxResults") or _PAGE))
        return {"ScheduledActions": chosen, "NextToken": token} if token else {"ScheduledActions": chosen}

    def _current(self, key: tuple[str, str]) -> _Action | None:
        """Return an action whose target is still registered: actions go with their targets."""
        action = self._actions.get(key)
        return action if action is not None and self._autoscaling.is_current(action.target) else None

    def _action(self, target: Target, request: Mapping[str, Any], before: Mapping[str, Any]) -> _Action:
        settings = {
            "ScheduledActionARN": self._prefix + str(uuid.uuid4()),
            "CreationTime": to_datetime(self._clock.now()),
            **{key: before[key] for key in ("ScheduledActionARN", "CreationTime", *_KEPT) if key in before},
            **request,
        }
        if "Schedule" not in settings:
            raise _invalid("Schedule is required for a new scheduled action")
        _check_bounds(settings.get("ScalableTargetAction") or {})
        when = _when(settings["Schedule"], _zone(settings.get("Timezone")))
        return _Action(target, settings, when, settings["Schedule"].startswith("at("))

    def _arm(self, key: tuple[str, str], action: _Action, after: float) -> None:
        """Wait for the next time, if there is one before the end."""
        due, end = action.when(after), action.settings.get("EndTime")
        past = action.once and due < self._clock.now()
        if not past and (end is None or due <= _seconds(end)):
            action.timer = self._clock.call_later(due - self._clock.now(), lambda: self._fire(key, action, due))

    def _fire(self, key: tuple[str, str], action: _Action, due: float) -> None:
        with self._lock:
            if self._current(key) is not action:
                return
            if action.once:
                del self._actions[key]
            else:
                self._arm(key, action, due)
        if action.target.suspended["ScheduledScalingSuspended"]:
            return
        bounds = action.settings.get("ScalableTargetAction") or {}
        self._autoscaling.set_bounds(action.target, bounds.get("MinCapacity"), bounds.get("MaxCapacity"))


def _key(request: Mapping[str, Any]) -> tuple[str, str]:
    return request["ResourceId"], request["ScheduledActionName"]


def _when(schedule: str, zone: tzinfo) -> Next:
    if not schedule.startswith("at("):
        return parse_schedule(schedule, zone)
    try:
        moment = datetime.strptime(schedule, "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=zone).timestamp()
    except ValueError:
        raise _invalid(f"Schedule {schedule} is not at(yyyy-mm-ddThh:mm:ss)") from None
    return lambda _after: moment


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise _invalid(f"Timezone {name!r} is not known: give a name such as Europe/Berlin") from None


def _check_bounds(bounds: Mapping[str, Any]) -> None:
    least, most = bounds.get("MinCapacity"), bounds.get("MaxCapacity")
    if least is None and most is None:
        raise _invalid("ScalableTargetAction needs MinCapacity, MaxCapacity or both")
    if least is not None and most is not None and least > most:
        raise _invalid("Maximum capacity cannot be less than minimum capacity")


def _seconds(moment: Any) -> float:
    return float(moment.timestamp()) if isinstance(moment, datetime) else float(moment or 0)


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
