"""The event bus."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambdas.contract import MONITORING_EVENT_SOURCE
from lambdas.monitoring.adapters.clients import Lazy, lazy
from lambdas.monitoring.errors import RetryableError
from lambdas.rollout.adapters.failures import translated


class EventBridge:
    """Implements `lambdas.monitoring.ports.Events`, on the default bus."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or lazy("events")

    def put(self, detail_type: str, detail: Mapping[str, Any], at: float) -> None:
        """Send an event; PutEvents itself succeeds when the bus refuses one, so that its answer is looked at."""
        entry = {
            "Source": MONITORING_EVENT_SOURCE,
            "DetailType": detail_type,
            "Detail": json.dumps(detail, allow_nan=False),
            "Time": datetime.fromtimestamp(at, UTC),
        }
        with translated():
            answer = self._client().put_events(Entries=[entry])
        if answer.get("FailedEntryCount"):
            failed = answer["Entries"][0]
            raise RetryableError(f"the event was not taken: {failed.get('ErrorCode')}: {failed.get('ErrorMessage')}")
