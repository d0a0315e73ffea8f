"""What a caller says of a request in headers of its own."""

import re
from dataclasses import dataclass

from lambdas.contract import SLOTS
from lambdas.inference.http import HttpRequest
from lambdas.inference.identity import Caller
from lambdas.inference.problems import Problem

CALLER = "Tidegate-Caller"
SUBJECT = "Tidegate-Subject"
TARGET = "Tidegate-Target-Variant"
IDEMPOTENCY = "Idempotency-Key"
PREDICTION_ID = "Tidegate-Prediction-Id"
MODEL_VERSION = "Tidegate-Model-Version"
VARIANT = "Tidegate-Variant"
ANSWER = "Tidegate-Answer"
MODEL_STATUS = "Tidegate-Model-Status"
REPLAYED = "Idempotency-Replayed"
LONGEST = 256
PATTERN = r"^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$"

_WANTED = f"1 to {LONGEST} printable ASCII characters"
_PRINTABLE = re.compile(PATTERN)


@dataclass(frozen=True)
class Asked:
    """What a caller says of a request.

    Parameters
    ----------
    caller
        In whose name the client asks, and whom to keep to one version; None when nobody says.
    subject
        Whom the rows are about; None when nobody says.
    target
        The production variant that is to answer; None for whichever.
    idempotency_key
        By which the same request is known when it is sent again; None without.
    """

    caller: str | None = None
    subject: str | None = None
    target: str | None = None
    idempotency_key: str | None = None


def asked(request: HttpRequest, caller: Caller) -> Asked:
    """Return what the caller says of a request.

    Raises
    ------
    Problem
        When a header cannot be used, or asks for what the caller may not.
    """
    return Asked(
        caller=text_of(request, CALLER),
        subject=text_of(request, SUBJECT),
        target=_target(request, caller),
        idempotency_key=text_of(request, IDEMPOTENCY),
    )


def text_of(request: HttpRequest, name: str) -> str | None:
    """Return the value of a header that is to be one short line of printable ASCII; None when it was not sent.

    Raises
    ------
    Problem
        When it is something else.
    """
    values = request.headers.all(name)
    if not values:
        return None
    if len(values) > 1:
        raise Problem("invalid-header", f"{name} was sent {len(values)} times; send it once")
    if len(values[0]) > LONGEST or not _PRINTABLE.fullmatch(values[0]):
        raise Problem("invalid-header", f"{name} is {_shown(values[0])}; send {_WANTED}")
    return values[0]


def _shown(value: str) -> str:
    return f"{len(value)} characters long" if len(value) > LONGEST else ascii(value)


def _target(request: HttpRequest, caller: Caller) -> str | None:
    target = text_of(request, TARGET)
    if target is None:
        return None
    if target not in SLOTS:
        raise Problem("invalid-header", f"{TARGET} is {target!a}; send {' or '.join(SLOTS)}, or leave it out")
    if not caller.tester:
        raise Problem("forbidden", f"{caller.client} is no tester; leave {TARGET} out, or have it made one")
    return target
