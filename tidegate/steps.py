"""A rollout as the steps that it goes through: which are done, which is present, which are to come. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lambdas.rollout.actions import CreateMixedConfig
from lambdas.rollout.gates import AFTER, APPROVAL, ASKED, BEFORE, JUDGED
from lambdas.rollout.policy import Policy, Step
from lambdas.rollout.state import Phase, Rollout

DONE, PRESENT, TO_COME, GIVEN_UP, NOT_REACHED = "done", "present", "to-come", "given-up", "not-reached"
SHADOW, PREPARE, STEP, FINISH = "shadow", "prepare", "step", "finish"
_PREPARING = (Phase.PREPARE, Phase.TEST)
_HOOKS = (BEFORE, AFTER)


@dataclass(frozen=True)
class Gate:
    """Something that must be said before a step passes: by a hook ``before`` or ``after`` it, or by a person."""

    name: str
    passed: bool
    function: str = ""


@dataclass(frozen=True)
class StepView:
    """A part of a rollout.

    Parameters
    ----------
    kind
        ``shadow``, ``prepare`` (instances, smoke test), ``step`` (a weight) or ``finish`` (the old fleet goes).
    status
        ``done``, ``present``, ``to-come``; of a rollout that goes back also ``given-up`` and ``not-reached``.
    number
        Of a step: from 1.
    weight
        Percentage of the traffic, or of the requests that are copied.
    bake_seconds
        How long it is watched.
    left_seconds
        How much of that is left at the present step, once its weight is verified.
    gates
        What must be said before it passes.
    notes
        What else is asked of it, in words.
    """

    kind: str
    status: str
    number: int | None = None
    weight: int | None = None
    bake_seconds: int = 0
    left_seconds: float | None = None
    gates: tuple[Gate, ...] = ()
    notes: tuple[str, ...] = ()


def steps_of(rollout: Rollout, now: float) -> list[StepView]:
    """Return the parts of a rollout, in the order in which it goes through them."""
    shadow = [_shadow(rollout)] if rollout.policy.shadow else []
    weights = [_step(rollout, index) for index in range(len(rollout.policy.plan))]
    parts = [*shadow, StepView(PREPARE, TO_COME), *weights, StepView(FINISH, TO_COME)]
    at = _position(rollout, before=len(shadow), last=len(parts) - 1)
    return [_marked(rollout, part, index - at, now) for index, part in enumerate(parts)]


def _position(rollout: Rollout, *, before: int, last: int) -> int:
    """Return in which of its parts a rollout is, or was when it was given up; `before` are ahead of PREPARE."""
    if rollout.phase is Phase.FINALIZE:
        return last
    shadowing, shifting = _whereabouts(rollout)
    if shadowing:
        return 0
    return before + 1 + rollout.step if shifting else before


def _whereabouts(rollout: Rollout) -> tuple[bool, bool]:
    """Return whether a rollout is a shadow still, and whether it shifts traffic already."""
    if rollout.abort_reason is None:
        return rollout.phase is Phase.SHADOW, rollout.phase not in (Phase.SHADOW, *_PREPARING)
    # The phase says no longer how far it came.
    prepared = CreateMixedConfig.__name__ in rollout.done
    shifted = rollout.step > 0 or rollout.smoke_passed > 0 or (prepared and rollout.verified_since is not None)
    return not prepared and not shifted, shifted


def _marked(rollout: Rollout, part: StepView, ahead: int, now: float) -> StepView:
    """Return a part with its status; `ahead` says how far it is from where the rollout is."""
    if ahead < 0:
        return replace(part, status=DONE)
    if rollout.abort_reason is not None:
        return replace(part, status=NOT_REACHED if ahead else GIVEN_UP)
    if ahead:
        return part
    watched = rollout.verified_since is not None and part.kind in (SHADOW, STEP)
    return replace(part, status=PRESENT, left_seconds=_left(rollout, part.bake_seconds, now) if watched else None)


def _shadow(rollout: Rollout) -> StepView:
    shadow = rollout.policy.shadow
    if shadow is None:
        raise LookupError("the rollout has no shadow")
    notes = (f"{shadow.min_requests:,} requests at least",) if shadow.min_requests else ()
    return StepView(SHADOW, TO_COME, weight=shadow.traffic_percent, bake_seconds=shadow.seconds, notes=notes)


def _step(rollout: Rollout, index: int) -> StepView:
    step, policy = rollout.policy.plan[index], rollout.policy
    return StepView(
        STEP,
        TO_COME,
        number=index + 1,
        weight=step.weight,
        bake_seconds=policy.bake_of(index),
        gates=_gates(rollout, index, step),
        notes=_notes(policy, index, step),
    )


def _left(rollout: Rollout, bake: int, now: float) -> float:
    since = rollout.verified_since or now
    return 0.0 if rollout.bake_skipped else max(0.0, since + bake - now)


def _gates(rollout: Rollout, index: int, step: Step) -> tuple[Gate, ...]:
    hooks = [(name, getattr(step, name)) for name in _HOOKS]
    found = [Gate(name, f"{name}:{index}" in rollout.cleared, hook.function) for name, hook in hooks if hook]
    asked = f"{ASKED}:{index}" in rollout.cleared
    approval = [Gate(APPROVAL, f"{APPROVAL}:{index}" in rollout.cleared)] if step.approval or asked else []
    evidence = rollout.judges and not rollout.policy.is_last(index)
    judge = [Gate(JUDGED, f"{JUDGED}:{index}" in rollout.cleared)] if evidence else []
    return (*found, *judge, *approval)


def _notes(policy: Policy, index: int, step: Step) -> tuple[str, ...]:
    found = []
    if policy.ab_test is not None and policy.is_test(index):
        found.append(f"A/B test, decided by {policy.ab_test.winner}")
    if step.min_requests:
        found.append(f"{step.min_requests:,} requests at least")
    if step.error_rate_percent is not None:
        found.append(f"5xx at most {step.error_rate_percent:g} %")
    if step.p99_latency_milliseconds is not None:
        found.append(f"p99 at most {step.p99_latency_milliseconds} ms")
    return tuple(found)
