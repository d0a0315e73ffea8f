"""The alarms' life: evaluation on time, transitions, and who is told."""

import json
import logging
from collections.abc import Iterator
from typing import Any

from localcloud.clock import Clock, Timer
from localcloud.errors import AwsError
from localcloud.physics.cloudwatch.alarm_messages import (
    action_payload,
    event_detail,
    is_scaling_policy,
    scaling_payload,
)
from localcloud.physics.cloudwatch.alarms import Alarm, CompositeAlarm, MetricAlarm, State
from localcloud.physics.cloudwatch.judgement import ALARM, INSUFFICIENT_DATA, OK, judge
from localcloud.physics.cloudwatch.reasons import reason_data, reason_text
from localcloud.physics.cloudwatch.store import MetricStore
from localcloud.physics.deferral import DeferringLock
from localcloud.physics.ports import AlarmActionSink, EventSink
from localcloud.physics.times import to_datetime, to_iso_millis

_TICK_SECONDS = 10.0
_TICKS_PER_STANDARD_EVALUATION = 6
_EARLY_SECONDS = 0.5
_HISTORY_ITEMS = 200

_log = logging.getLogger(__name__)


class AlarmWatch:
    """All alarms, evaluated as long as there are any.

    High-resolution alarms are evaluated every ten seconds, the others every minute, `delay` seconds after a period's
    end; a composite follows its children at once.
    """

    def __init__(
        self,
        clock: Clock,
        store: MetricStore,
        delay: float,
        account: str,
        region: str,
        emit: EventSink,
        act: AlarmActionSink,
    ) -> None:
        self.lock = DeferringLock()
        self.alarms: dict[str, Alarm] = {}
        self._clock = clock
        self._store = store
        self._delay = delay
        self._account = account
        self._region = region
        self._emit = emit
        self._act = act
        self._timer: Timer | None = None
        self._unevaluated: set[str] = set()

    def put(self, alarm: Alarm) -> None:
        """Add an alarm, or change its configuration; an existing one keeps its state."""
        with self.lock:
            before = self.alarms.get(alarm.name)
            if before is not None:
                alarm.state, alarm.transitioned_at = before.state, before.transitioned_at
                alarm.history = before.history
            self.alarms[alarm.name] = alarm
            self._unevaluated.add(alarm.name)
            self._note(alarm, "ConfigurationUpdate", f'Alarm "{alarm.name}" {"updated" if before else "created"}', {})
            self._ensure_ticking()
            self._clock.call_later(0.0, self._follow_children)

    def remove(self, names: list[str]) -> None:
        """Delete alarms."""
        with self.lock:
            for name in names:
                self.alarms.pop(name, None)

    def set_state(self, name: str, value: str, reason: str, data: str) -> None:
        """Put an alarm into a state, until its next evaluation says otherwise."""
        with self.lock:
            self._transition(self.alarms[name], value, reason, data)
            self._follow_children()

    def composites(self) -> Iterator[CompositeAlarm]:
        """Return the composite alarms."""
        return (alarm for alarm in list(self.alarms.values()) if isinstance(alarm, CompositeAlarm))

    def stop(self) -> None:
        """Evaluate no more."""
        with self.lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _ensure_ticking(self) -> None:
        if self._timer is None:
            self._timer = self._clock.call_later(self._until_tick(), self._tick)

    def _until_tick(self) -> float:
        """Return the seconds to the next whole ten seconds plus the delay."""
        return _TICK_SECONDS - (self._clock.now() - self._delay) % _TICK_SECONDS

    def _tick(self) -> None:
        with self.lock:
            self._timer = None
            if not self.alarms:
                return
            self._ensure_ticking()
            tick = self._current_tick()
            standard = tick % _TICKS_PER_STANDARD_EVALUATION == 0
            for alarm in list(self.alarms.values()):
                if isinstance(alarm, MetricAlarm) and (standard or alarm.high_resolution or self._is_new(alarm)):
                    self._evaluate(alarm, tick * _TICK_SECONDS, repeat=standard)
            self._follow_children()

    def _current_tick(self) -> int:
        """Return the number of the tick that is due; a timer of a real clock may be a moment early, or late."""
        return int((self._clock.now() - self._delay + _EARLY_SECONDS) // _TICK_SECONDS)

    def _is_new(self, alarm: Alarm) -> bool:
        return alarm.name in self._unevaluated

    def _evaluate(self, alarm: MetricAlarm, until: float, *, repeat: bool) -> None:
        self._unevaluated.discard(alarm.name)
        try:
            judgement = judge(alarm.criteria, alarm.points(self._store, until), alarm.state.value)
        except AwsError as error:  # an expression that does not work out must not stop the other alarms
            _log.warning("alarm %s cannot be evaluated: %s", alarm.name, error.message)
            return
        unchecked = alarm.state.reason.startswith("Unchecked")
        if judgement.state != alarm.state.value or (unchecked and judgement.state == INSUFFICIENT_DATA):
            reason = reason_text(alarm.criteria, judgement, alarm.state.value)
            data = reason_data(alarm.criteria, judgement, alarm.statistic(), alarm.period, self._clock.now())
            self._transition(alarm, judgement.state, reason, data)
        elif repeat:
            data = reason_data(alarm.criteria, judgement, alarm.statistic(), alarm.period, self._clock.now())
            self._scale_again(alarm, data)

    def _scale_again(self, alarm: MetricAlarm, data: str) -> None:
        """Carry out scaling policies again: they alone are, every minute for as long as the alarm stays in its state.

        So says CloudWatch's guide ("Using Amazon CloudWatch alarms", on alarm actions).
        """
        for action in alarm.actions():
            if is_scaling_policy(action):
                self._do(action, scaling_payload(data))

    def _follow_children(self) -> None:
        """Bring composites in line with their children; a composite can be a child itself, hence the rounds."""
        with self.lock:
            for _ in range(len(self.alarms)):
                if not any(self._follow(composite) for composite in self.composites()):
                    return

    def _follow(self, composite: CompositeAlarm) -> bool:
        value = ALARM if composite.rule.holds(self._state_of) else OK
        if value == composite.state.value:
            return False
        cause = self._latest_child(composite)
        if cause is None or composite.state.reason.startswith("Unchecked"):
            reason, data = f"{composite.arn} was created and its alarm rule evaluates to {value}", ""
        else:
            moment = to_datetime(cause.state.at)
            reason = f"{cause.arn} transitioned to {cause.state.value} at {moment:%A %d %B, %Y %H:%M:%S} UTC"
            state = {"value": cause.state.value, "timestamp": to_iso_millis(cause.state.at)}
            data = json.dumps({"triggeringAlarms": [{"arn": cause.arn, "state": state}]})
        self._transition(composite, value, reason, data)
        return True

    def _state_of(self, name: str) -> str:
        return self.alarms[name].state.value if name in self.alarms else INSUFFICIENT_DATA

    def _latest_child(self, composite: CompositeAlarm) -> Alarm | None:
        children = [self.alarms[name] for name in composite.rule.alarms if name in self.alarms]
        return max(children, key=lambda child: child.transitioned_at, default=None)

    def _transition(self, alarm: Alarm, value: str, reason: str, data: str) -> None:
        before, now = alarm.state, self._clock.now()
        alarm.state = State(value, reason, data, now)
        if value == before.value:
            return
        alarm.transitioned_at = now
        summary = f"Alarm updated from {before.value} to {value}"
        self._note(alarm, "StateUpdate", summary, {"oldState": before.value, "newState": value, "reason": reason})
        detail = event_detail(alarm, before)
        self.lock.later(lambda: self._emit("aws.cloudwatch", "CloudWatch Alarm State Change", detail, [alarm.arn]))
        for action in alarm.actions():
            self._note(alarm, "Action", f"Successfully executed action {action}", {})
            self._do(action, action_payload(action, alarm, before, self._account, self._region))

    def _do(self, action: str, payload: dict[str, Any]) -> None:
        self.lock.later(lambda: self._act(action, payload))

    def _note(self, alarm: Alarm, kind: str, summary: str, data: dict[str, str]) -> None:
        item = {
            "AlarmName": alarm.name,
            "AlarmType": alarm.kind,
            "Timestamp": to_datetime(self._clock.now()),
            "HistoryItemType": kind,
            "HistorySummary": summary[:255],
            "HistoryData": json.dumps(data),
        }
        alarm.history = [*alarm.history, item][-_HISTORY_ITEMS:]
