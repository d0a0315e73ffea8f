"""Bad luck: failures that are no fault of the version that has them.

While the good version has the first step's share of the traffic, some of its requests are answered 500 without the
model having been asked, as a lost connection or a failing host would do it. They count against it like any others. One
falls into each of the first whole periods of the endpoint's metrics, because those are the ones that the judge counts,
and only once enough other requests of that period have been answered that its error alarm has no reason to go off.
"""

from __future__ import annotations

from collections.abc import Callable

from tidegate.demo.observations import FAILED_ON_PURPOSE, Misfortune, Observations
from tidegate.demo.verdicts import epoch
from tidegate.settings import EndpointSettings

TIMES = 2

Fail = Callable[[str, str, int, str], None]
"""Lets the next requests of an endpoint's variant fail: how many, and with what reason."""


class BadLuck:
    """Strikes a version at its first step.

    Parameters
    ----------
    fail
        Lets requests fail.
    endpoint
        The endpoint's settings.
    seen
        What is being recorded; each stroke is added.
    """

    def __init__(self, fail: Fail, endpoint: EndpointSettings, seen: Observations) -> None:
        self._fail = fail
        self._endpoint = endpoint
        self._seen = seen
        self._period = float(endpoint.evidence["period_seconds"])
        self._enough = int(100 / endpoint.evidence["error_rate_percent"]) + 1
        self._struck = 0.0

    def look(self, version: str, now: float) -> None:
        """Strike `version` if the moment has come."""
        began = now // self._period * self._period
        if len(self._seen.misfortunes) >= TIMES or began <= self._struck:
            return
        slot, since = self._first_step(version)
        if since <= began and self._answered(slot, began) >= self._enough:
            self._struck = began
            self._seen.misfortunes.append(Misfortune(version, slot, now))
            self._fail(self._endpoint.name, slot, 1, FAILED_ON_PURPOSE)

    def _first_step(self, version: str) -> tuple[str, float]:
        """Return the version's slot, and since when it has the first step's weight: not yet, or no more, is never."""
        rollout = next((each for each in self._seen.rollouts if each.version == version), None)
        if rollout is None:
            return "", float("inf")
        weights = [entry for entry in self._seen.audit if (entry.rollout, entry.kind) == (rollout.id, "weight")]
        if not weights or weights[-1].numbers.get("weight") != self._endpoint.step_weights[0]:
            return rollout.slot, float("inf")
        return rollout.slot, epoch(weights[-1].at)

    def _answered(self, slot: str, since: float) -> int:
        """Count a slot's requests since a moment; looks at no more of the list than it must."""
        count, requests = 0, self._seen.requests
        for index in range(len(requests) - 1, -1, -1):
            if requests[index].done < since:
                break
            count += requests[index].variant == slot
        return count
