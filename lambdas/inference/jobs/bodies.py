"""Bodies of jobs: what the model is sent, and what is read of its answer."""

import json
from collections.abc import Sequence
from typing import Any

from lambdas.rollout.errors import ModelAnswerError


def request_body(rows: Sequence[Any]) -> bytes:
    """Return rows as the serving container reads them."""
    return json.dumps({"instances": list(rows)}, allow_nan=False, separators=(",", ":")).encode()


def predictions(body: bytes) -> list[Any]:
    """Return what a model predicted.

    Raises
    ------
    ModelAnswerError
        When its answer is none.
    """
    try:
        found = json.loads(body)["predictions"]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelAnswerError("the model's answer is not JSON with predictions") from error
    if not isinstance(found, list):
        raise ModelAnswerError("the model's predictions are no list")
    return found
