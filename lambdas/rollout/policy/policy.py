"""How a rollout proceeds: its strategy, what its steps ask, and when it must not go on."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, Literal, get_args

from lambdas.rollout.policy.checks import MAX_SECONDS, PolicyError, one_of, whole
from lambdas.rollout.policy.judging import EXTEND, Judging
from lambdas.rollout.policy.reading import as_written, plain, read
from lambdas.rollout.policy.smoke_test import SmokeTest
from lambdas.rollout.policy.step import FULL_SHARE, Step
from lambdas.rollout.policy.strategies import (
    AB_TEST,
    ALL_AT_ONCE,
    BLUE_GREEN,
    CANARY,
    EVIDENCE,
    LINEAR,
    SHADOW,
    SHIFTING,
    STRATEGIES,
    AbTest,
    Linear,
    Shadow,
    Shifting,
    Strategy,
)
from lambdas.rollout.policy.windows import Window, opening, zone

MAX_STEPS = 20
MAX_WINDOWS = 20
MAX_INSTANCES = 100
FULL: Final = "full"
SHARE: Final = "share"
QUEUE: Final = "queue"
RESTART: Final = "restart"
Capacity = Literal["full", "share"]
NewerVersion = Literal["queue", "restart"]

# Which field belongs to which strategy.
_OWNED = {CANARY: "steps", LINEAR: "linear", AB_TEST: "ab_test", SHADOW: "shadow"}


@dataclass(frozen=True)
class Policy:
    """The plan of a rollout.

    Parameters
    ----------
    soak_seconds
        How long the new version must stay healthy with all the traffic while the old one is kept as the way back; 0 for
        the strategy all-at-once.
    progress_deadline_seconds
        A rollout that finishes no step for this long is rolled back. Time in which it waits for people does not count:
        paused, frozen, before an approval, or outside its windows.
    strategy
        ``canary`` (any steps), ``linear`` (equal steps), ``blue-green`` (all the traffic, a soak, and an instant way
        back), ``all-at-once`` (no soak), ``ab-test`` (a split that is held until one version is chosen), ``shadow``
        (copies of the traffic first, then one of the others).
    steps
        Of a canary: shares of the traffic in strictly rising order; the last is 100.
    linear
        Of a linear rollout: size and interval of its steps.
    ab_test
        Of an A/B test: the split, how long it is held and who chooses.
    shadow
        Of a shadow rollout: what is copied, for how long, and what is compared.
    then
        Of a shadow rollout: the strategy that shifts the traffic afterwards.
    smoke_test
        What the new version must answer before it takes traffic; left out, nothing is sent.
    judge
        How the new version is compared with the live one; left out, only the alarms watch it.
    capacity
        ``full``: the new version has instances for all the traffic before it takes any, so that a rollback is never
        refused. ``share``: for its share only, added before each step; while instances start (minutes, for GPUs up to
        half an hour) SageMaker refuses every change of the weights, a rollback too.
    peak_instances
        Instances that the live version is raised to before autoscaling is suspended for the rollout, and that the new
        one gets, or its share of them; left out, the fleet's max_instances.
    newer_version
        What a version that is approved meanwhile does: ``queue`` behind this rollout, or ``restart``: this one is
        rolled back and the newer one starts from weight 0.
    rollback_window_seconds
        A version that was live within this time goes back to all the traffic without the steps.
    windows
        When a rollout may start and go forward; left out, at any time. Rolling back is never held up.
    timezone
        Time zone of the windows.
    """

    soak_seconds: int
    progress_deadline_seconds: int
    strategy: Strategy = CANARY
    steps: tuple[Step, ...] = ()
    linear: Linear | None = None
    ab_test: AbTest | None = None
    shadow: Shadow | None = None
    then: Shifting | None = None
    smoke_test: SmokeTest | None = None
    judge: Judging | None = None
    capacity: Capacity = FULL
    peak_instances: int | None = None
    newer_version: NewerVersion = QUEUE
    rollback_window_seconds: int = 0
    windows: tuple[Window, ...] = ()
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        one_of("strategy", self.strategy, STRATEGIES)
        one_of("capacity", self.capacity, get_args(Capacity))
        one_of("newer_version", self.newer_version, get_args(NewerVersion))
        whole("soak_seconds", self.soak_seconds, 0, MAX_SECONDS)
        whole("progress_deadline_seconds", self.progress_deadline_seconds, 1, MAX_SECONDS)
        whole("rollback_window_seconds", self.rollback_window_seconds, 0, MAX_SECONDS)
        if self.peak_instances is not None:
            whole("peak_instances", self.peak_instances, 1, MAX_INSTANCES)
        self._check_windows()
        self._check_then()
        self._check_owned()
        self._check_evidence()
        self._check_soak()
        self._check_steps()
        self._check_deadline()

    def _check_windows(self) -> None:
        if len(self.windows) > MAX_WINDOWS:
            reason = f"there may be {MAX_WINDOWS} at most"
            raise PolicyError("windows", len(self.windows), reason, "put days with the same hours into one window")
        zone(self.timezone)

    def _check_then(self) -> None:
        if self.strategy == SHADOW:
            one_of("then", self.shifting, SHIFTING)
        elif self.then is not None:
            reason = f"only the strategy {SHADOW} goes on with another"
            raise PolicyError("then", self.then, reason, f"remove then:, or write strategy: {SHADOW}")

    def _check_owned(self) -> None:
        used = (self.strategy, self.shifting)
        for owner, name in _OWNED.items():
            value = getattr(self, name)
            if value and owner not in used:
                reason = f"it belongs to the strategy {owner}, not {' and '.join(dict.fromkeys(used))}"
                raise PolicyError(name, as_written(value), reason, f"remove {name}:, or write strategy: {owner}")
            if value is None and owner in used:
                raise PolicyError(name, None, f"the strategy {owner} needs it", f"add {name}:")

    def _check_evidence(self) -> None:
        if self.decides_by_evidence and self.judge is None:
            reason = "it is the judge who says what is evidence, and there is none"
            raise PolicyError("ab_test.winner", EVIDENCE, reason, "add judge:, or choose another winner")

    def _check_soak(self) -> None:
        if self.shifting == ALL_AT_ONCE and self.soak_seconds:
            reason = f"the strategy {ALL_AT_ONCE} does not soak"
            raise PolicyError("soak_seconds", self.soak_seconds, reason, f"write 0, or the strategy {BLUE_GREEN}")

    def _check_steps(self) -> None:
        if self.shifting != CANARY:
            return
        if not self.steps:
            way_out = f"write its steps, the last with weight: {FULL_SHARE}"
            raise PolicyError("steps", [], f"the strategy {CANARY} needs at least one", way_out)
        if len(self.steps) > MAX_STEPS:
            raise PolicyError("steps", len(self.steps), f"there must be 1 to {MAX_STEPS} steps", "make larger steps")
        for index, (before, after) in enumerate(pairwise(self.steps), start=1):
            if after.weight <= before.weight:
                reason = f"weights must rise, and the step before has {before.weight}"
                raise PolicyError(f"steps[{index}].weight", after.weight, reason, "raise it, or remove the step")
        self._check_last_step()

    def _check_last_step(self) -> None:
        where, last = f"steps[{len(self.steps) - 1}]", self.steps[-1]
        if last.weight != FULL_SHARE:
            reason = f"this step plan never reaches {FULL_SHARE}: the last weight must be {FULL_SHARE}"
            raise PolicyError(f"{where}.weight", last.weight, reason, f"add a step with weight: {FULL_SHARE}")
        if last.bake_seconds not in (0, self.soak_seconds):
            reason = "the step with all the traffic is watched for soak_seconds"
            raise PolicyError(f"{where}.bake_seconds", last.bake_seconds, reason, "leave bake_seconds: out")

    def _check_deadline(self) -> None:
        longest = self.longest_step_seconds
        if self.progress_deadline_seconds <= longest:
            raise PolicyError(
                "progress_deadline_seconds",
                self.progress_deadline_seconds,
                f"it must be more than the {longest} s that one step takes",
                "raise it, with room for the time that instances take to start",
            )

    @property
    def shifting(self) -> str:
        """The strategy by which traffic is shifted, after the shadow if there is one."""
        return (self.then or BLUE_GREEN) if self.strategy == SHADOW else self.strategy

    @cached_property
    def plan(self) -> tuple[Step, ...]:
        """The steps that the strategy comes down to; the last has all the traffic."""
        if self.steps:
            return self.steps
        if self.linear is not None:
            return self.linear.steps()
        return self.ab_test.steps() if self.ab_test is not None else (Step(FULL_SHARE),)

    @property
    def watches_nothing(self) -> bool:
        """Whether the last step passes as soon as its weight is verified."""
        return self.shifting == ALL_AT_ONCE

    @property
    def watched_seconds(self) -> int:
        """Seconds that a rollout bakes and soaks in all, when nothing holds it up."""
        shadow = self.shadow.seconds if self.shadow else 0
        return shadow + sum(self.bake_of(index) for index in range(len(self.plan)))

    @property
    def longest_step_seconds(self) -> int:
        """Seconds that the longest step takes when nothing holds it up, its hooks and its evidence at their slowest."""
        baking = [
            max(self.bake_of(index), self._horizon(index)) + sum(hook.timeout_seconds for hook in step.hooks)
            for index, step in enumerate(self.plan)
        ]
        return max([*baking, self.shadow.seconds if self.shadow else 0])

    def _horizon(self, index: int) -> int:
        # What waits for evidence until the deadline must not push the deadline off.
        waits = self.judge is not None and self.judge.inconclusive != EXTEND and not self.is_last(index)
        return self.judge.horizon_seconds if self.judge is not None and waits else 0

    def bake_of(self, index: int) -> int:
        """Return how long step `index` must stay healthy; for the last one that is the soak."""
        return self.soak_seconds if self.is_last(index) else self.plan[index].bake_seconds

    def is_last(self, index: int) -> bool:
        """Return whether step `index` gives the new version all the traffic."""
        return index == len(self.plan) - 1

    def is_test(self, index: int) -> bool:
        """Return whether step `index` is the split of an A/B test."""
        return self.ab_test is not None and not self.is_last(index)

    @property
    def decides_by_evidence(self) -> bool:
        """Whether an A/B test is decided as soon as there is evidence."""
        return self.ab_test is not None and self.ab_test.winner == EVIDENCE

    def opens_at(self, now: float) -> float | None:
        """Return when the next window opens; None while the rollout may go forward."""
        return opening(self.windows, self.timezone, now)

    def straight_to_full(self, after: int | None = None) -> "Policy":
        """Return the policy without a shadow, and without the steps between `after` (None: the start) and the last."""
        *before, last = self.plan
        if not before and self.shadow is None:
            return self
        kept = before[: after + 1] if after is not None else []
        bare = replace(self, strategy=BLUE_GREEN, then=None, shadow=None, linear=None, ab_test=None, steps=())
        if self.watches_nothing:
            return replace(bare, strategy=ALL_AT_ONCE)
        return replace(bare, strategy=CANARY, steps=(*kept, last))

    @classmethod
    def from_dict(cls, data: object, *, lenient: bool = False) -> "Policy":
        """Read and check a policy; `lenient` leaves out fields that this version of the code does not know.

        Raises
        ------
        PolicyError
            When a field is missing, unknown or out of bounds.
        """
        return read(cls, data, lenient=lenient)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form that `from_dict` reads."""
        found: dict[str, Any] = plain(self)
        return found
