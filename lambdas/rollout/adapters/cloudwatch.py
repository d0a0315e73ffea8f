"""CloudWatch alarms, those of many endpoints in one call: DescribeAlarms may be called nine times a second only."""

import random
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lambdas import contract
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import RetryableError, TidegateError
from lambdas.rollout.observation import Alarm, Health

AT_ONCE = 16
"""Endpoints whose alarms one call reads: three for each of two slots, and a call takes a hundred names."""

FRESH_SECONDS = 3.0
"""What was read is used for no longer than this, and never by another invocation."""

PAUSES = (0.4, 0.8, 1.6)
"""Seconds between attempts when CloudWatch is asked too often, give or take a half."""

LONGEST_REASON = 300
_MOST_PAGES = 5
_ALARMS = (contract.unhealthy_alarm, contract.error_rate_alarm, contract.latency_alarm)
Found = Mapping[str, Mapping[str, Any]]
"""Alarms as CloudWatch shows them, by name."""


class CloudWatchAlarms:
    """Implements `lambdas.rollout.ports.Alarms`, for one invocation; its threads may share it."""

    def __init__(
        self,
        client: Lazy | None = None,
        elapsed: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._client = client or Lazy("cloudwatch")
        self._elapsed = elapsed
        self._sleep = sleep
        self._groups: dict[str, _Group] = {}
        self._recent: dict[str, tuple[float, Found]] = {}
        self._heard: dict[str, Alarm] = {}

    def hear(self, alarm: str, reason: str) -> None:
        """Remember that an event has just said that a composite alarm is in ALARM."""
        self._heard[alarm] = Alarm(alarm, "ALARM", reason[:LONGEST_REASON])

    def expect(self, names: Sequence[str]) -> None:
        """Read the alarms of these endpoints together, in the order in which they are first asked for."""
        for start in range(0, len(names), AT_ONCE):
            group = _Group(names[start : start + AT_ONCE], self._read_patiently, self._elapsed)
            self._groups |= dict.fromkeys(group.names, group)

    def failing(self) -> frozenset[str]:
        """Return the endpoints of which a slot's composite alarm is in ALARM."""
        request: dict[str, Any] = {"StateValue": "ALARM", "AlarmTypes": ["CompositeAlarm"], "MaxRecords": 100}
        found: list[str | None] = []
        for _ in range(_MOST_PAGES):
            with translated():
                page = self._client().describe_alarms(**request)
            found += [contract.endpoint_of_alarm(each["AlarmName"]) for each in page.get("CompositeAlarms", [])]
            if not page.get("NextToken"):
                break
            request["NextToken"] = page["NextToken"]
        return frozenset(filter(None, found))

    def health(self, name: str, slot: str) -> Health:
        """Read the alarms of a slot; one that does not exist is MISSING, which is not health."""
        wanted = _names(name, slot)
        try:
            found = self._look(name) or self._read_alone(wanted)
        except TidegateError:
            if wanted[0] not in self._heard:
                raise
            # When hundreds go off at once the way back must not wait for their turns to be read.
            return Health(self._heard[wanted[0]], *(Alarm(each, "INSUFFICIENT_DATA") for each in wanted[1:]))
        return Health(*(_alarm(found[each]) if each in found else Alarm(each, "MISSING") for each in wanted))

    def _look(self, name: str) -> Found | None:
        group = self._groups.get(name)
        return group.look() if group else None

    def _read_alone(self, alarms: Sequence[str]) -> Found:
        # A look goes round several times within a moment.
        read_at, found = self._recent.get(alarms[0], (float("-inf"), {}))
        if self._elapsed() - read_at > FRESH_SECONDS:
            found = self._read(alarms) if alarms[0] in self._heard else self._read_patiently(alarms)
            self._recent[alarms[0]] = self._elapsed(), found
        return found

    def _read_patiently(self, alarms: Sequence[str]) -> Found:
        # Quotas are by the second: a moment later the call is taken, and a look in vain would be repeated as well.
        for pause in PAUSES:
            try:
                return self._read(alarms)
            except RetryableError as error:
                if not _refused(error):
                    raise
                self._sleep(pause * random.uniform(0.5, 1.5))
        return self._read(alarms)

    def _read(self, alarms: Sequence[str]) -> Found:
        with translated():
            answer = self._client().describe_alarms(
                AlarmNames=alarms, AlarmTypes=["CompositeAlarm", "MetricAlarm"], MaxRecords=100
            )
        shown = [*answer.get("CompositeAlarms", []), *answer.get("MetricAlarms", [])]
        return {each["AlarmName"]: each for each in shown}


class _Group:
    """Endpoints whose alarms are read in one call, by whoever asks for any of them first."""

    def __init__(
        self, names: Sequence[str], read: Callable[[Sequence[str]], Found], elapsed: Callable[[], float]
    ) -> None:
        self.names = names
        self._read = read
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._found: Found | None = None
        self._read_at = float("-inf")
        self._error: TidegateError | None = None

    def look(self) -> Found | None:
        """Return what is known and fresh; None when each must be read by itself.

        Raises
        ------
        RetryableError
            When CloudWatch has refused to be asked just now, for asking more often is no way out of that.
        """
        with self._lock:
            if self._error is None and self._elapsed() - self._read_at > FRESH_SECONDS:
                self._fetch()
        if self._error is not None and _refused(self._error):
            raise self._error
        return self._found

    def _fetch(self) -> None:
        wanted = [alarm for name in self.names for slot in contract.SLOTS for alarm in _names(name, slot)]
        self._found, self._read_at = None, self._elapsed()
        try:
            self._found = self._read(wanted)
        except TidegateError as error:
            # Tried once: the next ones must not wait for one time-out after another.
            self._error = error


def _refused(error: TidegateError) -> bool:
    # Its subclasses say that no answer came.
    return type(error) is RetryableError


def _names(name: str, slot: str) -> list[str]:
    return [alarm(name, slot) for alarm in _ALARMS]


def _alarm(shown: Mapping[str, Any]) -> Alarm:
    meaning = shown.get("AlarmDescription", "").removesuffix(".")
    return Alarm(shown["AlarmName"], shown["StateValue"], _reason(shown), meaning[:1].lower() + meaning[1:])


def _reason(shown: Mapping[str, Any]) -> str:
    """Return CloudWatch's sentence without what says nothing: how it begins, and how many data points it takes."""
    text = re.sub(r" \(minimum .*", "", shown.get("StateReason", "").removeprefix("Threshold Crossed: "))
    return re.sub(r"(\d\.\d\d)\d+", r"\1", text).removesuffix(".")[:LONGEST_REASON]
