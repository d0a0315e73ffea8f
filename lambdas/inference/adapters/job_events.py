"""Events about jobs, on the default bus.

Needs events:PutEvents on the default bus, for the source ``tidegate.inference``.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from lambdas.contract import INFERENCE_EVENT_SOURCE, JOB_DETAIL_TYPE
from lambdas.inference.adapters.clients import Lazy
from lambdas.rollout.adapters.bus import send

_CONNECT, _READ = 1.0, 3.0


class JobEvents:
    """Implements `lambdas.inference.jobs.ports.Announcer`.

    Parameters
    ----------
    client
        Returns EventBridge's client.
    """

    def __init__(self, client: Callable[[], Any] | None = None) -> None:
        self._client = client or Lazy("events", connect=_CONNECT, read=_READ)

    def announce(self, detail: Mapping[str, Any]) -> None:
        """Say that a job has ended."""
        entry = {"Source": INFERENCE_EVENT_SOURCE, "DetailType": JOB_DETAIL_TYPE, "Detail": json.dumps(detail)}
        send(self._client, entry)
