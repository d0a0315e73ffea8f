"""Events on the account's default bus. Needs events:PutEvents there, for the source."""

from collections.abc import Callable, Mapping
from typing import Any

from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import RetryableError


def send(client: Callable[[], Any], entry: Mapping[str, Any]) -> None:
    """Send an event; PutEvents itself succeeds when the bus refuses one, so that its answer is looked at.

    Raises
    ------
    RetryableError
        When the bus has not taken it.
    """
    with translated():
        answer = client().put_events(Entries=[entry])
    if answer.get("FailedEntryCount"):
        failed = answer["Entries"][0]
        raise RetryableError(f"the event was not taken: {failed.get('ErrorCode')}: {failed.get('ErrorMessage')}")


class EventBridge:
    """Sends events of one source and detail type; implements the ports of whoever announces something.

    Parameters
    ----------
    source, detail_type
        Of the events.
    client
        Returns EventBridge's client.
    """

    def __init__(self, source: str, detail_type: str, client: Callable[[], Any] | None = None) -> None:
        self._source, self._detail_type = source, detail_type
        self._client = client or Lazy("events")

    def put(self, detail: str) -> None:
        """Send an event with a detail of JSON."""
        send(self._client, {"Source": self._source, "DetailType": self._detail_type, "Detail": detail})
