"""The event bus."""

from lambdas.contract import RETRAINING_DETAIL_TYPE, RETRAINING_EVENT_SOURCE
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import RetryableError


class EventBridge:
    """Implements `lambdas.retraining.ports.Announcer`, on the default bus."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("events")

    def put(self, detail: str) -> None:
        """Send an event; PutEvents itself succeeds when the bus refuses one, so that its answer is looked at."""
        entry = {"Source": RETRAINING_EVENT_SOURCE, "DetailType": RETRAINING_DETAIL_TYPE, "Detail": detail}
        with translated():
            answer = self._client().put_events(Entries=[entry])
        if answer.get("FailedEntryCount"):
            failed = answer["Entries"][0]
            raise RetryableError(f"the event was not taken: {failed.get('ErrorCode')}: {failed.get('ErrorMessage')}")
