"""What SageMaker says instead of an answer, in the front door's terms.

Callers are told what they can do about it. Names of accounts, roles and endpoints' parts stay in the log.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from lambdas.inference import headers
from lambdas.inference.ports import InvocationError
from lambdas.inference.problems import SHOWN_ERRORS, Problem

_VARIANT = "x-amzn-invoked-production-variant"
_BUSY = frozenset({"ThrottlingException", "ServiceUnavailable", "ModelNotReadyException"})
_TOO_BUSY = (429, 503)
_TOO_SLOW = (0, 408, 504)
"""With 0 SageMaker says that the container had not answered when its own time was over."""

_REFUSED = range(400, 500)
_TOO_LARGE = 413
_SAID = re.compile(r"Received (?:client|server) error \((\d+)\)")
"""How SageMaker tells a container's status in words."""

_BUSY_SECONDS, _AWAY_SECONDS = "1", "5"
_SHOWN = 300


def of_answer(response: Mapping[str, Any], *, targeted: bool) -> InvocationError:
    """Return what an error answer of SageMaker's comes to."""
    error = response.get("Error", {})
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    cause = f"{code}: {message}"[:_SHOWN]
    if code == "ModelError":
        status = int(response.get("OriginalStatusCode") or 0)
        found = _of_model(status, response.get("OriginalMessage") or message)
        found.problem.headers.update(_whose(response, status))
        return found
    if code in _BUSY:
        return _busy(cause)
    validation = code in ("ValidationError", "ValidationException")
    # Nothing else that it validates differs between one request and the next: the body's size was looked at before.
    return _away(cause, no_variant=validation and targeted)


def of_failure(reason: str, left: str) -> InvocationError:
    """Return what it comes to that an asynchronous endpoint has no answer.

    Parameters
    ----------
    reason
        What SageMaker says of it; empty where it has not been heard.
    left
        What it has left in the place of an answer: what the container said, or why that was not asked.
    """
    told = _SAID.search(reason) or _SAID.search(left)
    status = int(told[1]) if told else _document(left).get("status")
    if isinstance(status, int):
        return _of_model(status, left or reason)
    cause = (reason or left)[:_SHOWN]
    return InvocationError(Problem("unavailable", f"the model was not asked: {cause}"), at_fault=True, cause=cause)


def of_connection(error: Exception) -> InvocationError:
    """Return what a connection that came to nothing comes to."""
    return _away(f"{type(error).__name__}: {error}"[:_SHOWN])


def of_silence(seconds: float) -> InvocationError:
    """Return what it comes to that the model did not answer in time."""
    detail = f"the model has not answered within {seconds:g} s; send fewer rows at once, or try again later"
    return InvocationError(Problem("timeout", detail), at_fault=True, cause=f"no answer within {seconds:g} s")


def of_haste(seconds: float) -> InvocationError:
    """Return what it comes to that so few seconds are left that the model is not asked."""
    return _away(f"the model was not asked: {seconds:.1f} s were left for its answer", unasked=True)


def _whose(response: Mapping[str, Any], status: int) -> dict[str, str]:
    """Return whose failure it is: which variant's, where that is said, and what its container answered."""
    answered = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    # Log streams of endpoints are named <variant>/<instance>.
    stream = str(response.get("LogStreamArn", "")).rpartition("log-stream:")[2]
    variant = answered.get(_VARIANT) or stream.partition("/")[0]
    return {headers.MODEL_STATUS: str(status), **({headers.VARIANT: variant} if variant else {})}


def _of_model(status: int, message: str) -> InvocationError:
    cause = f"the container answered {status}: {message}"[:_SHOWN]
    if status in _TOO_BUSY:
        return _busy(cause)
    if status in _TOO_SLOW:
        return _slow(cause)
    if status in _REFUSED:
        return InvocationError(_refused(status, message), at_fault=False, cause=cause)
    detail = "the model failed on this input, which its signature allows; the log says why"
    return InvocationError(Problem("model-failed", detail), at_fault=True, of_input=True, cause=cause)


def _refused(status: int, message: str) -> Problem:
    """Return the container's own problem document as one of the front door's."""
    said = _document(message)
    detail = str(said.get("detail") or "the model does not take this input, and does not say why")
    slug = "too-large" if status == _TOO_LARGE else "invalid-input"
    found = said.get("errors")
    errors = [_cell(each) for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
    return Problem(slug, detail[:_SHOWN], errors=errors[:SHOWN_ERRORS])


def _document(message: str) -> Mapping[str, Any]:
    # SageMaker cuts long ones off.
    try:
        said = json.loads(message)
    except ValueError:
        return {"detail": message}
    return said if isinstance(said, Mapping) else {"detail": message}


def _cell(error: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: error[name] for name in ("row", "column", "value") if name in error}
    return {**kept, "detail": str(error.get("reason", error.get("detail", "")))}


def _busy(cause: str) -> InvocationError:
    detail = "the model has more to do than it can; try again in a moment"
    return InvocationError(Problem("busy", detail, headers={"Retry-After": _BUSY_SECONDS}), at_fault=True, cause=cause)


def _slow(cause: str) -> InvocationError:
    detail = "the model has not answered in time; send fewer rows at once, or try again later"
    return InvocationError(Problem("timeout", detail), at_fault=True, cause=cause)


def _away(cause: str, *, no_variant: bool = False, unasked: bool = False) -> InvocationError:
    problem = Problem("unavailable", "the model cannot be reached; try again later", headers=_retry())
    return InvocationError(problem, at_fault=True, no_variant=no_variant, unasked=unasked, cause=cause)


def _retry() -> dict[str, str]:
    return {"Retry-After": _AWAY_SECONDS}
