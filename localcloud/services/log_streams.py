"""CloudWatch Logs' FilterLogEvents by the beginning of streams' names, which moto takes for no condition at all."""

import json

from moto.logs.models import logs_backends

from localcloud.errors import AwsError
from localcloud.front.calls import Call
from localcloud.front.moto_store import MotoStore
from localcloud.front.permissions import Scope
from localcloud.front.protocols import Answer

_NO_STREAM = ""
"""No stream is called that: names have at least one character."""


class LogStreams:
    """Finds the streams that a call means by the beginning of their names.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html

    Parameters
    ----------
    store
        moto, which keeps the logs.
    scope
        Account and region.
    """

    def __init__(self, store: MotoStore, scope: Scope) -> None:
        self._store = store
        self._scope = scope

    def filter_call(self, call: Call) -> Answer:
        """Answer FilterLogEvents."""
        asked = json.loads(call.body)
        start = asked.pop("logStreamNamePrefix", None)
        if start is None:
            return self._store.call(call)
        if asked.get("logStreamNames"):
            message = "Either logStreamNamePrefix or logStreamNames can be given, not both"
            raise AwsError("InvalidParameterException", message)
        with self._store.lock:
            names = self._names(asked.get("logGroupName"), start) or [_NO_STREAM]
            return self._store.call(call, json.dumps({**asked, "logStreamNames": names}).encode())

    def _names(self, group: str | None, start: str) -> list[str]:
        found = logs_backends[self._scope.account][self._scope.region].groups.get(group)
        return [name for name in found.streams if name.startswith(start)] if found else []
