"""Which version's answers are compared just now."""

from dataclasses import dataclass

from lambdas.rollout.policy import Answers
from lambdas.rollout.state import Phase, Rollout, State

_WATCHED = frozenset({Phase.SHIFT, Phase.BAKE, Phase.APPROVE, Phase.SOAK})


@dataclass(frozen=True)
class Subject:
    """A new version that is being watched, and what of its answers is compared."""

    rollout: Rollout
    settings: Answers


def subject_of(state: State | None) -> Subject | None:
    """Return the version that is being watched and whose answers are to be compared, if there is one.

    It has passed its smoke test and taken traffic, so that an alarm or the judge can take it back. A shadow is none:
    SageMaker lets nobody but itself send it requests.
    """
    rollout = state.rollout if state is not None and not state.retired else None
    if rollout is None or rollout.phase not in _WATCHED or rollout.abort_reason is not None:
        return None
    if rollout.in_effect is None or rollout.watched_since is None:
        return None
    judge = rollout.policy.judge
    return Subject(rollout, judge.answers) if judge is not None and judge.answers is not None else None
