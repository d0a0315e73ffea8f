"""Usage plans: which keys may call which stages, how fast and how often."""

import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from localcloud.services.api_gateway.problems import missing
from localcloud.services.api_gateway.rest_api import Record

Today = Callable[[], date]


def period_start(period: str, day: date) -> date:
    """Return the first day of the period that `day` lies in; weeks begin on Sunday."""
    if period == "WEEK":
        return day - timedelta(days=(day.weekday() + 1) % 7)
    return day.replace(day=1) if period == "MONTH" else day


class Plans:
    """API keys, usage plans, and what was used of them.

    Parameters
    ----------
    today
        The day, in UTC, at which requests are counted.
    """

    def __init__(self, today: Today = lambda: datetime.now(UTC).date()) -> None:
        self.keys: dict[str, Record] = {}
        self.plans: dict[str, Record] = {}
        self.members: dict[str, list[str]] = defaultdict(list)
        """Ids of the keys of each plan."""
        self.today = today
        self._used: dict[tuple[str, str], dict[date, int]] = defaultdict(lambda: defaultdict(int))
        self._lock = threading.Lock()

    def key(self, key_id: str) -> Record:
        """Return a key; raise `AwsError` if it is not there."""
        if key_id not in self.keys:
            raise missing("API Key", key_id)
        return self.keys[key_id]

    def plan(self, plan_id: str) -> Record:
        """Return a plan; raise `AwsError` if it is not there."""
        if plan_id not in self.plans:
            raise missing("Usage Plan", plan_id)
        return self.plans[plan_id]

    def of(self, value: str, api_id: str, stage: str) -> tuple[Record, Record] | None:
        """Return the enabled key with this value and its plan for a stage."""
        key = next((k for k in list(self.keys.values()) if k["value"] == value and k["enabled"]), None)
        if key is None:
            return None
        for plan in list(self.plans.values()):
            if key["id"] in self.members[plan["id"]] and covers(plan, api_id, stage):
                return key, plan
        return None

    def count(self, plan: Record, key_id: str) -> bool:
        """Count a request, unless the plan's quota is used up; return whether it was counted."""
        day, quota = self.today(), plan.get("quota")
        with self._lock:
            used = self._used[plan["id"], key_id]
            if quota and self._spent(used, quota, day) >= quota["limit"]:
                return False
            used[day] += 1
            return True

    def _spent(self, used: dict[date, int], quota: Record, day: date) -> int:
        start = period_start(quota["period"], day)
        first = not any(each < start for each in used)
        offset = int(quota.get("offset", 0)) if first else 0
        return offset + sum(number for each, number in used.items() if start <= each <= day)

    def usage(self, plan_id: str, key_id: str, start: date, end: date) -> list[list[int]]:
        """Return, for each day, what was used and what remained of the quota at its end."""
        quota = self.plan(plan_id).get("quota")
        with self._lock:
            used = dict(self._used[plan_id, key_id])
        days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
        if not quota:
            return [[used.get(day, 0), 0] for day in days]
        return [[used.get(day, 0), max(0, quota["limit"] - self._spent(used, quota, day))] for day in days]


def covers(plan: Record, api_id: str, stage: str) -> bool:
    """Whether a plan has a stage."""
    return any((each["apiId"], each["stage"]) == (api_id, stage) for each in plan.get("apiStages", []))


def shown(key: Record, with_value: Any) -> Record:
    """Return a key as it is shown, with its value only if that is asked for."""
    return key if with_value else {name: value for name, value in key.items() if name != "value"}
