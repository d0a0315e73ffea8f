"""A step of a rollout: a share of the traffic, how long it is watched, and what must be said before it passes."""

import re
from dataclasses import dataclass

from lambdas.rollout.policy.checks import MAX_SECONDS, PolicyError, number, whole

FULL_SHARE = 100
MAX_REQUESTS = 1_000_000_000
MAX_P99_MILLISECONDS = 60_000
_FUNCTION = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[\w-]{1,64}(:([\w-]{1,128}|\$LATEST))?", re.A
)


@dataclass(frozen=True)
class Hook:
    """A Lambda function that is asked whether the rollout may go on.

    It is invoked synchronously with ``{endpoint, rollout, version, step, weight, when, id}`` and answers, within five
    seconds, ``{"decision": "go" | "no-go" | "wait", "reason": "..."}``. It may be asked more than once, with the same
    id.

    Parameters
    ----------
    function
        ARN of the function, with or without a version or an alias.
    timeout_seconds
        After this long without go or no-go, errors included, the answer is taken for a no-go.
    """

    function: str
    timeout_seconds: int = 60

    def __post_init__(self) -> None:
        if not isinstance(self.function, str) or not _FUNCTION.fullmatch(self.function):
            raise PolicyError(
                "function",
                self.function,
                "it must be the ARN of a Lambda function, with or without a version or an alias",
                "write it as arn:aws:lambda:REGION:ACCOUNT:function:NAME or arn:...:function:NAME:ALIAS",
            )
        whole("timeout_seconds", self.timeout_seconds, 1, MAX_SECONDS)


@dataclass(frozen=True)
class Step:
    """A share of the traffic, and how long it is watched.

    Parameters
    ----------
    weight
        Percentage of the traffic that the new version takes.
    bake_seconds
        How long it must stay healthy at this weight. The last step, at 100, bakes for the policy's soak instead.
    min_requests
        Requests that it must have answered at this weight before it may go on, beside those that the alarms need.
    approval
        Whether a person must say go on once the weight has been watched.
    error_rate_percent
        Share of 5xx answers above which it is rolled back at this step, where that is stricter than the alarms.
    p99_latency_milliseconds
        99th percentile of ModelLatency above which it is rolled back at this step, where that is stricter than the
        alarms.
    before
        Asked before the weight is set.
    after
        Asked once the weight has been watched.
    """

    weight: int
    bake_seconds: int = 0
    min_requests: int = 0
    approval: bool = False
    error_rate_percent: float | None = None
    p99_latency_milliseconds: int | None = None
    before: Hook | None = None
    after: Hook | None = None

    def __post_init__(self) -> None:
        whole("weight", self.weight, 1, FULL_SHARE)
        whole("bake_seconds", self.bake_seconds, 0, MAX_SECONDS)
        whole("min_requests", self.min_requests, 0, MAX_REQUESTS)
        if not isinstance(self.approval, bool):
            raise PolicyError("approval", self.approval, "it must be true or false", "write true or false")
        if self.error_rate_percent is not None:
            number("error_rate_percent", self.error_rate_percent, 0, 100)
        if self.p99_latency_milliseconds is not None:
            whole("p99_latency_milliseconds", self.p99_latency_milliseconds, 1, MAX_P99_MILLISECONDS)

    @property
    def hooks(self) -> tuple[Hook, ...]:
        """The functions that are asked at this step."""
        return tuple(hook for hook in (self.before, self.after) if hook is not None)
