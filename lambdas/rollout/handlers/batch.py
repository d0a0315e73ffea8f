"""Messages of an SQS event source, of which each succeeds or fails on its own."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from lambdas.rollout.adapters.clients import time_limit
from lambdas.rollout.crew import Crew, one_by_one
from lambdas.rollout.errors import ConflictError, RetryableError
from lambdas.rollout.handlers.wiring import logger

PAUSES = (0.5, 1.0, 2.0)
"""Seconds before a message is tried again; together with the slowest call less than functions have left in the end."""


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


def at_once_again(
    handle: Callable[[dict[str, Any]], None], sleep: Callable[[float], None] = time.sleep
) -> Callable[[dict[str, Any]], None]:
    """Return what handles a message and, where that fails for a passing reason, tries again within its invocation.

    A message that fails comes again only when its visibility timeout is over, after six minutes; whoever has given a
    command waits for half a minute. What is handled must bear to be handled twice.
    """

    def handled(message: dict[str, Any]) -> None:
        for pause in PAUSES:
            try:
                return handle(message)
            except (RetryableError, ConflictError) as error:
                if time_limit.is_over:
                    raise
                logger.warning(f"a message is tried again at once: {error}")
                sleep(pause)
        return handle(message)

    return handled


def named_endpoints(event: Mapping[str, Any]) -> list[str]:
    """Return the endpoints that messages name, as far as they can be read."""
    found = []
    for record in event["Records"]:
        with suppress(AttributeError, KeyError, TypeError, ValueError):
            found.append(str(json.loads(record["body"])["endpoint"]))
    return list(dict.fromkeys(found))
