"""The event bus."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambdas.contract import MONITORING_EVENT_SOURCE
from lambdas.monitoring.adapters.clients import lazy
from lambdas.rollout.adapters.bus import send
from lambdas.rollout.adapters.clients import Lazy


class EventBridge:
    """Implements `lambdas.monitoring.ports.Events`, on the default bus."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or lazy("events")

    def put(self, detail_type: str, detail: Mapping[str, Any], at: float) -> None:
        """Send an event."""
        entry = {
            "Source": MONITORING_EVENT_SOURCE,
            "DetailType": detail_type,
            "Detail": json.dumps(detail, allow_nan=False),
            "Time": datetime.fromtimestamp(at, UTC),
        }
        send(self._client, entry)
