"""The alarms of both slots, as CloudWatch would show them."""

from dataclasses import dataclass, field
from typing import Any

from lambdas import contract
from lambdas.contract import SLOTS
from localcloud.clock import VirtualClock
from localcloud.simulation.cloud import Cloud

READ_ALARMS = "alarms.describe_alarms"
CLEARING_SECONDS = 60.0


@dataclass
class SlotAlarms:
    """CloudWatch's client, of alarms that say OK of a slot with traffic, until the schedule lets them go off.

    They stay in ALARM as long as the slot has instances, and a while longer: that the metrics calm down without traffic
    must not matter.
    """

    name: str
    clock: VirtualClock
    cloud: Cloud
    since: dict[str, float] = field(default_factory=dict)

    def go_off(self, slot: str) -> str:
        """Put a slot's alarms into ALARM, and return the composite one's name."""
        self.since[slot] = self.clock.now()
        return contract.unhealthy_alarm(self.name, slot)

    def describe_alarms(self, **_request: Any) -> dict[str, Any]:
        """Show all alarms of both slots, asked for or not."""
        composites, metrics = [], []
        for slot in SLOTS:
            state = self._state(slot)
            composites.append(_shown(contract.unhealthy_alarm(self.name, slot), "ALARM" if state == "ALARM" else "OK"))
            metrics.append(_shown(contract.error_rate_alarm(self.name, slot), state))
            quiet = "OK" if self.cloud.answers(slot) else "INSUFFICIENT_DATA"
            metrics.append(_shown(contract.latency_alarm(self.name, slot), quiet))
        return {"CompositeAlarms": composites, "MetricAlarms": metrics}

    def _state(self, slot: str) -> str:
        gone = self.cloud.endpoint is None or slot not in self.cloud.endpoint.hosted()
        if gone and self.clock.now() > self.since.get(slot, 0.0) + CLEARING_SECONDS:
            self.since.pop(slot, None)
        if slot in self.since:
            return "ALARM"
        return "OK" if self.cloud.answers(slot) else "INSUFFICIENT_DATA"


def _shown(name: str, state: str) -> dict[str, Any]:
    return {"AlarmName": name, "StateValue": state, "StateReason": "21.0 > 5.0" if state == "ALARM" else ""}
