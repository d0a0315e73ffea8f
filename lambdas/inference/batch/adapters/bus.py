"""The event bus. Needs events:PutEvents on the default bus, for the source ``tidegate.inference``."""

from lambdas.contract import BATCH_DETAIL_TYPE, INFERENCE_EVENT_SOURCE
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import RetryableError


class EventBridge:
    """Implements `lambdas.inference.batch.ports.Announcer`, on the default bus."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("events")

    def put(self, detail: str) -> None:
        """Send an event; PutEvents itself succeeds when the bus refuses one, so that its answer is looked at."""
        entry = {"Source": INFERENCE_EVENT_SOURCE, "DetailType": BATCH_DETAIL_TYPE, "Detail": detail}
        with translated():
            answer = self._client().put_events(Entries=[entry])
        if answer.get("FailedEntryCount"):
            failed = answer["Entries"][0]
            raise RetryableError(f"the event was not taken: {failed.get('ErrorCode')}: {failed.get('ErrorMessage')}")
