"""Answers to CloudFormation, which waits for one for an hour."""

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.rollout.handlers.wiring import begin_long, logger

_TRIES = 4
_TIMEOUT = 5
_LONGEST_REASON = 1000
ANSWER_MARGIN = 20.0
"""Seconds of a function's time that are kept for the answer."""

Properties = Mapping[str, Any]


class UnfinishedError(RuntimeError):
    """There was not enough time; the text says what to do."""


@dataclass(frozen=True)
class Request:
    """A custom resource's request, and how much time there is for it.

    Parameters
    ----------
    kind, properties, physical_id
        What CloudFormation asks for; there is no physical id yet on creation.
    owner
        Who this invocation is.
    remaining
        Tells how many seconds are left.
    identity
        Physical id of what is created.
    stack
        Id of the resource's stack.
    """

    kind: str
    properties: Properties
    physical_id: str | None
    owner: str
    remaining: Callable[[], float]
    identity: str = ""
    stack: str = ""

    def has_time(self) -> bool:
        """Return whether there is more than the time for the answer left."""
        return self.remaining() > ANSWER_MARGIN

    def wait_until(self, done: Callable[[], bool], pause: float) -> bool:
        """Ask again and again until it is done, or there is no time left."""
        while not done():
            if not self.has_time():
                return False
            time.sleep(pause)
        return True


@dataclass(frozen=True)
class Answer:
    """What a custom resource comes to."""

    physical_id: str
    data: Mapping[str, str] = field(default_factory=dict)


def answer(event: Mapping[str, Any], context: Any, identity: str, act: Callable[[Request], Answer]) -> None:
    """Act upon a request and tell CloudFormation, whatever happens.

    Parameters
    ----------
    event, context
        As Lambda gives them.
    identity
        Physical id of what is created; the answer may give another.
    act
        Does the work.
    """
    request = _request(event, context, identity)
    try:
        result = act(request)
    except Exception as error:
        logger.exception("the request failed")
        known = request.physical_id or identity
        _send(event, known, "FAILED", reason=f"{type(error).__name__}: {error}"[:_LONGEST_REASON])
    else:
        _send(event, result.physical_id, "SUCCESS", data=result.data)


def _request(event: Mapping[str, Any], context: Any, identity: str) -> Request:
    return Request(
        kind=event["RequestType"],
        properties={name: value for name, value in event["ResourceProperties"].items() if name != "ServiceToken"},
        physical_id=event.get("PhysicalResourceId"),
        owner=begin_long(context),
        remaining=lambda: context.get_remaining_time_in_millis() / 1000,
        identity=identity,
        stack=event["StackId"],
    )


def _send(
    event: Mapping[str, Any], physical_id: str, status: str, reason: str = "", data: Mapping[str, str] | None = None
) -> None:
    body = {
        "Status": status,
        "Reason": reason or "See the function's log",
        "PhysicalResourceId": physical_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": dict(data or {}),
    }
    _put(event["ResponseURL"], json.dumps(body).encode())


def _put(url: str, body: bytes) -> None:
    # The address is signed for exactly this: an empty content type.
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})
    for attempt in range(1, _TRIES + 1):
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT):
                return
        except OSError:
            if attempt == _TRIES:
                raise
            logger.exception("CloudFormation could not be told; trying again")
            time.sleep(attempt)
