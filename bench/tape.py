"""What happens in the local cloud while something is measured: functions' API calls and alarms' events."""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from localcloud.credentials import ADMIN_ACCESS_KEY
from localcloud.front.calls import Call
from localcloud.front.dispatch import Dispatcher
from localcloud.services.events.bus import EventBus

PATIENCE_SECONDS = 2.0
QUIET_SECONDS = 0.1
WEIGHTS = "sagemaker:UpdateEndpointWeightsAndCapacities"


@dataclass
class Noted:
    """A call of a function's, from its arrival until it was answered."""

    name: str
    began: float
    ended: float = 0.0


class Tape:
    """Notes the calls that functions make, and when an alarm's event was put."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: list[Noted] = []
        self._event_at = 0.0

    def attach(self) -> None:
        """Listen to every cloud of this process from here on."""
        answer: Callable[[Dispatcher, Call], Any] = Dispatcher._answer
        send = EventBus.send

        def noted(dispatcher: Dispatcher, call: Call) -> Any:
            if call.access_key == ADMIN_ACCESS_KEY:
                return answer(dispatcher, call)
            entry = self._begin(call.name)
            try:
                return answer(dispatcher, call)
            finally:
                entry.ended = time.perf_counter()

        def heard(bus: EventBus, event: Any, *arguments: Any) -> None:
            if event.get("detail", {}).get("state", {}).get("value") == "ALARM" and not self._event_at:
                self._event_at = time.perf_counter()
            send(bus, event, *arguments)

        Dispatcher._answer = noted  # type: ignore[method-assign,assignment]
        EventBus.send = heard  # type: ignore[method-assign,assignment]

    def obey(self, wanted: str) -> dict[str, Any]:
        """Forget all (``start``), wait for the weight call (``weights``), or until no function calls (``quiet``)."""
        if wanted == "start":
            self._calls, self._event_at = [], 0.0
        elif wanted == "weights":
            with self._changed:
                self._changed.wait_for(lambda: any(each.name == WEIGHTS for each in self._calls), PATIENCE_SECONDS)
        else:
            self._wait_until_quiet()
        return {"event_at": self._event_at, "calls": [asdict(call) for call in self._calls]}

    def _begin(self, name: str) -> Noted:
        with self._changed:
            entry = Noted(name, time.perf_counter())
            self._calls.append(entry)
            self._changed.notify_all()
        return entry

    def _wait_until_quiet(self) -> None:
        count = -1
        while count != len(self._calls):
            count = len(self._calls)
            time.sleep(QUIET_SECONDS)
