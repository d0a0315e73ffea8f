"""Messages of an SQS event source, of which each succeeds or fails on its own."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from lambdas.rollout.crew import Crew, one_by_one
from lambdas.rollout.handlers.wiring import logger


def each_message(
    event: Mapping[str, Any], handle: Callable[[dict[str, Any]], None], crew: Crew = one_by_one
) -> dict[str, Any]:
    """Handle the body of every message, and return those that SQS should deliver again."""

    def failed(record: Mapping[str, Any]) -> bool:
        try:
            handle(json.loads(record["body"]))
        except Exception:
            # Whatever it was, the message comes again and in the end lies in the dead-letter queue; the others go on.
            logger.exception("a message could not be handled")
            return True
        return False

    records = event["Records"]
    again = [record for record, failure in zip(records, crew(failed, records), strict=True) if failure]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in again]}


def named_endpoints(event: Mapping[str, Any]) -> list[str]:
    """Return the endpoints that messages name, as far as they can be read."""
    found = []
    for record in event["Records"]:
        with suppress(AttributeError, KeyError, TypeError, ValueError):
            found.append(str(json.loads(record["body"])["endpoint"]))
    return list(dict.fromkeys(found))
