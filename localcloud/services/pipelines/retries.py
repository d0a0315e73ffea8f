"""Which failures of a step are tried again, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.errors import AwsError

SERVICE_FAULT = "Step.SERVICE_FAULT"
THROTTLING = "Step.THROTTLING"
INTERNAL_ERROR = "SageMaker.JOB_INTERNAL_ERROR"
CAPACITY_ERROR = "SageMaker.CAPACITY_ERROR"
RESOURCE_LIMIT = "SageMaker.RESOURCE_LIMIT"

_KNOWN = (SERVICE_FAULT, THROTTLING, INTERNAL_ERROR, CAPACITY_ERROR, RESOURCE_LIMIT)
_BY_REASON = {"CapacityError": CAPACITY_ERROR, "InternalServerError": INTERNAL_ERROR}
_SETTINGS = frozenset({"ExceptionType", "BackoffRate", "IntervalSeconds", "MaxAttempts", "ExpireAfterMin"})


@dataclass(frozen=True)
class RetryPolicy:
    """Pauses of `interval` seconds, each `backoff` times the one before, until attempts or minutes are used up."""

    exceptions: tuple[str, ...]
    interval: float = 1.0
    backoff: float = 2.0
    most_attempts: int | None = None
    minutes: float | None = None

    def pause(self, retries: int, seconds_so_far: float) -> float | None:
        """Return the pause before the next try, after `retries` under this policy; None if there is no more."""
        if self.most_attempts is not None and retries >= self.most_attempts:
            return None
        if self.minutes is not None and seconds_so_far >= self.minutes * 60:
            return None
        return self.interval * self.backoff**retries


# Faults of the service and throttling are retried without being asked for (the SDK's documentation of retry policies).
DEFAULT_POLICY = RetryPolicy((SERVICE_FAULT, THROTTLING), most_attempts=3)


def read_policy(step: str, item: Mapping[str, Any]) -> RetryPolicy:
    """Read one of a step's RetryPolicies; raise `AwsError` naming what is wrong with it."""
    exceptions = tuple(item.get("ExceptionType") or ())
    unknown = [*sorted(set(item) - _SETTINGS), *(name for name in exceptions if name not in _KNOWN)]
    if unknown or not exceptions:
        known = f"{', '.join(sorted(_SETTINGS))}; ExceptionType is a list of {', '.join(_KNOWN)}"
        raise _invalid(step, f"{', '.join(unknown) or 'no ExceptionType'} (known: {known})")
    if ("MaxAttempts" in item) == ("ExpireAfterMin" in item):
        raise _invalid(step, "one of MaxAttempts and ExpireAfterMin must be given")
    return RetryPolicy(
        exceptions,
        float(item.get("IntervalSeconds", 1)),
        float(item.get("BackoffRate", 2.0)),
        item.get("MaxAttempts"),
        item.get("ExpireAfterMin"),
    )


def of_failure_reason(reason: str) -> str | None:
    """Return the exception type of a job's FailureReason."""
    return _BY_REASON.get(reason.partition(":")[0])


def of_api_error(code: str, status: int) -> str | None:
    """Return the exception type of an API's answer."""
    if code in ("ThrottlingException", "TooManyRequestsException"):
        return THROTTLING
    if code == "ResourceLimitExceeded":
        return RESOURCE_LIMIT
    # What is not simulated (501) does not come to be by trying again.
    return SERVICE_FAULT if status >= 500 and status != 501 else None


def _invalid(step: str, why: str) -> AwsError:
    what = f"RetryPolicies of the step {step}: {why}"
    return AwsError("ValidationException", f"Unable to parse pipeline definition. {what}.")
