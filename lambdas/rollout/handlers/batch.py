"""Messages of an SQS event source, of which each succeeds or fails on its own."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from lambdas.rollout.handlers.wiring import logger


def each_message(event: Mapping[str, Any], handle: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Handle the body of every message, and return those that SQS should deliver again."""
    failed = []
    for record in event["Records"]:
        try:
            handle(json.loads(record["body"]))
        except Exception:
            # Whatever it was, the message comes again and in the end lies in the dead-letter queue; the others go on.
            logger.exception("a message could not be handled")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
