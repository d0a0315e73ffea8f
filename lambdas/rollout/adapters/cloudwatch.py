"""CloudWatch alarms."""

import re
from collections.abc import Mapping
from typing import Any

from lambdas import contract
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.observation import Alarm, Health


class CloudWatchAlarms:
    """Implements `lambdas.rollout.ports.Alarms`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("cloudwatch")

    def health(self, name: str, slot: str) -> Health:
        """Read the alarms of a slot; one that does not exist is MISSING, which is not health."""
        wanted = [alarm(name, slot) for alarm in _ALARMS]
        with translated():
            answer = self._client().describe_alarms(AlarmNames=wanted, AlarmTypes=["CompositeAlarm", "MetricAlarm"])
        shown = [*answer.get("CompositeAlarms", []), *answer.get("MetricAlarms", [])]
        found = {each["AlarmName"]: _alarm(each) for each in shown}
        return Health(*(found.get(each, Alarm(each, "MISSING")) for each in wanted))


_ALARMS = (contract.unhealthy_alarm, contract.error_rate_alarm, contract.latency_alarm)


def _alarm(shown: Mapping[str, Any]) -> Alarm:
    meaning = shown.get("AlarmDescription", "").removesuffix(".")
    return Alarm(shown["AlarmName"], shown["StateValue"], _reason(shown), meaning[:1].lower() + meaning[1:])


def _reason(shown: Mapping[str, Any]) -> str:
    """Return CloudWatch's sentence without what says nothing: how it begins, and how many data points it takes."""
    text = re.sub(r" \(minimum .*", "", shown.get("StateReason", "").removeprefix("Threshold Crossed: "))
    return re.sub(r"(\d\.\d\d)\d+", r"\1", text).removesuffix(".")[:300]
