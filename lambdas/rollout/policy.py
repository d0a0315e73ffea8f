"""How a rollout proceeds: its steps, its soak, its deadline and its smoke test. Standard library only.

The templates render a policy into an endpoint's parameter and the engine reads it back, so its rules live here once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

STRATEGIES = ("canary",)
FULL_SHARE = 100
MAX_STEPS = 20
MAX_SECONDS = 14 * 24 * 3600
MAX_SMOKE_REQUESTS = 10
MAX_SMOKE_BODY = 2000


class PolicyError(ValueError):
    """A policy that cannot work.

    Parameters
    ----------
    field
        Path of the value at fault, such as ``steps[1].weight``.
    value
        What it holds.
    allowed
        What it may hold.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(f"{field}: {value!r} is not allowed; {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed


def _whole(name: str, value: object, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise PolicyError(name, value, f"it must be a whole number from {least} to {most}")


def _text(name: str, value: object, most: int) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise PolicyError(name, value, f"it must be a text of 1 to {most} characters")


def _within(path: str, error: PolicyError) -> PolicyError:
    return PolicyError(f"{path}.{error.field}", error.value, error.allowed)


def _take(path: str, data: object, allowed: Sequence[str], required: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise PolicyError(path, data, f"it must be a mapping with {', '.join(allowed)}")
    prefix = f"{path}." if path != "policy" else ""
    for key in data:
        if key not in allowed:
            raise PolicyError(f"{prefix}{key}", data[key], f"the fields of {path} are {', '.join(allowed)}")
    for key in required:
        if key not in data:
            raise PolicyError(f"{prefix}{key}", None, "it is required")
    return data


@dataclass(frozen=True)
class Step:
    """A share of the traffic, and how long it is watched.

    Parameters
    ----------
    weight
        Percentage of the traffic that the new version takes.
    bake_seconds
        How long it must stay healthy at this weight. The last step, at 100, bakes for the policy's soak instead.
    """

    weight: int
    bake_seconds: int = 0

    def __post_init__(self) -> None:
        _whole("weight", self.weight, 1, FULL_SHARE)
        _whole("bake_seconds", self.bake_seconds, 0, MAX_SECONDS)

    @classmethod
    def from_dict(cls, data: object, path: str = "step") -> "Step":
        """Read a step; `path` names it in errors."""
        given = _take(path, data, ("weight", "bake_seconds"), ("weight",))
        try:
            return cls(given["weight"], given.get("bake_seconds", 0))
        except PolicyError as error:
            raise _within(path, error) from None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that `from_dict` reads."""
        return {"weight": self.weight, "bake_seconds": self.bake_seconds}


@dataclass(frozen=True)
class SmokeTest:
    """Requests that a new version must answer before it sees any traffic.

    Parameters
    ----------
    content_type
        Content type of the body.
    body
        What is sent.
    requests
        How many times it is sent; each must be answered with success.
    """

    content_type: str
    body: str
    requests: int = 3

    def __post_init__(self) -> None:
        _text("content_type", self.content_type, 100)
        _text("body", self.body, MAX_SMOKE_BODY)
        _whole("requests", self.requests, 1, MAX_SMOKE_REQUESTS)

    @classmethod
    def from_dict(cls, data: object, path: str = "smoke_test") -> "SmokeTest":
        """Read a smoke test; `path` names it in errors."""
        given = _take(path, data, ("content_type", "body", "requests"), ("content_type", "body"))
        try:
            return cls(given["content_type"], given["body"], given.get("requests", 3))
        except PolicyError as error:
            raise _within(path, error) from None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that `from_dict` reads."""
        return {"content_type": self.content_type, "body": self.body, "requests": self.requests}


@dataclass(frozen=True)
class Policy:
    """The plan of a rollout.

    Parameters
    ----------
    steps
        Shares of traffic in strictly rising order; the last is 100.
    soak_seconds
        How long the new version must stay healthy with all the traffic while the old one is kept as the way back.
    deadline_seconds
        A rollout that has not been promoted after this long is rolled back.
    smoke_test
        What the new version must answer first; None sends nothing.
    strategy
        ``canary``.
    """

    steps: tuple[Step, ...]
    soak_seconds: int
    deadline_seconds: int
    smoke_test: SmokeTest | None = None
    strategy: str = field(default="canary")

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise PolicyError("strategy", self.strategy, f"it must be one of {', '.join(STRATEGIES)}")
        self._check_steps()
        _whole("soak_seconds", self.soak_seconds, 0, MAX_SECONDS)
        _whole("deadline_seconds", self.deadline_seconds, 1, MAX_SECONDS)
        if self.deadline_seconds <= self.watched_seconds:
            raise PolicyError(
                "deadline_seconds",
                self.deadline_seconds,
                f"it must be more than the {self.watched_seconds} s that the steps bake and soak, with room for the "
                "time that instances take to start",
            )

    def _check_steps(self) -> None:
        if not 1 <= len(self.steps) <= MAX_STEPS:
            raise PolicyError("steps", [step.to_dict() for step in self.steps], f"there must be 1 to {MAX_STEPS} steps")
        for index, (before, after) in enumerate(pairwise(self.steps), start=1):
            if after.weight <= before.weight:
                raise PolicyError(
                    f"steps[{index}].weight",
                    after.weight,
                    f"weights must rise, and the step before has {before.weight}",
                )
        last = self.steps[-1].weight
        if last != FULL_SHARE:
            raise PolicyError(
                f"steps[{len(self.steps) - 1}].weight",
                last,
                f"this step plan never reaches {FULL_SHARE}: the last weight must be {FULL_SHARE}",
            )

    @property
    def watched_seconds(self) -> int:
        """Seconds that a rollout bakes and soaks in all, when nothing holds it up."""
        return sum(self.bake_of(index) for index in range(len(self.steps)))

    def bake_of(self, index: int) -> int:
        """Return how long step `index` must stay healthy; for the last one that is the soak."""
        return self.soak_seconds if self.is_last(index) else self.steps[index].bake_seconds

    def is_last(self, index: int) -> bool:
        """Return whether step `index` gives the new version all the traffic."""
        return index == len(self.steps) - 1

    @classmethod
    def from_dict(cls, data: object) -> "Policy":
        """Read and check a policy.

        Raises
        ------
        PolicyError
            When a field is missing, unknown or out of bounds.
        """
        fields = ("strategy", "steps", "soak_seconds", "deadline_seconds", "smoke_test")
        given = _take("policy", data, fields, ("steps", "soak_seconds", "deadline_seconds"))
        steps, smoke = given["steps"], given.get("smoke_test")
        if not isinstance(steps, Sequence) or isinstance(steps, str):
            raise PolicyError("steps", steps, "it must be a list of steps, each with weight and bake_seconds")
        return cls(
            steps=tuple(Step.from_dict(step, f"steps[{index}]") for index, step in enumerate(steps)),
            soak_seconds=given["soak_seconds"],
            deadline_seconds=given["deadline_seconds"],
            smoke_test=None if smoke is None else SmokeTest.from_dict(smoke),
            strategy=given.get("strategy", "canary"),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that `from_dict` reads."""
        return {
            "strategy": self.strategy,
            "steps": [step.to_dict() for step in self.steps],
            "soak_seconds": self.soak_seconds,
            "deadline_seconds": self.deadline_seconds,
            "smoke_test": None if self.smoke_test is None else self.smoke_test.to_dict(),
        }
