"""What happens in the demo: the good version, which has bad luck; the wrong one; the bad one; and calm between them.

The bad one comes last, because its slot's alarm takes half a minute to clear, and no rollout starts before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tidegate import registry
from tidegate.aws import Aws
from tidegate.demo.bad_luck import BadLuck
from tidegate.demo.models import BAD, GOOD, WRONG, Models
from tidegate.demo.observations import Approval, Observations
from tidegate.demo.openloop import Pace
from tidegate.settings import EndpointSettings

LOOK_SECONDS = 0.25
LONGEST_ROLLOUT_SECONDS = 180.0

Show = Callable[[str, float], None]
"""Shows the chapter and the present moment."""


@dataclass(frozen=True)
class Timing:
    """How long the quiet stretches are, in seconds."""

    before: float = 10.0
    between: float = 8.0
    after: float = 8.0


QUICK = Timing(before=4.0, between=3.0, after=3.0)


class Story:
    """Tells the demo's story on a deployed endpoint under traffic.

    Parameters
    ----------
    aws
        The account.
    endpoint
        The endpoint's settings.
    models
        The trained versions.
    seen
        What is being recorded; the story reads from it how rollouts end, and adds its approvals.
    show
        Shows the present moment.
    bad_luck
        Lets some of the good version's requests fail.
    pace
        Time.
    timing
        Lengths of the quiet stretches.
    """

    def __init__(
        self,
        aws: Aws,
        endpoint: EndpointSettings,
        models: Models,
        seen: Observations,
        *,
        show: Show,
        bad_luck: BadLuck,
        pace: Pace,
        timing: Timing,
    ) -> None:
        self._aws = aws
        self._endpoint = endpoint
        self._models = models
        self._seen = seen
        self._show = show
        self._bad_luck = bad_luck
        self._pace = pace
        self._timing = timing

    def tell(self) -> None:
        """Let it happen."""
        self._calm("traffic on the first version", self._timing.before)
        self._roll_out(GOOD, "the better one, on its way in, with bad luck")
        self._calm(f"{GOOD} serves", self._timing.between)
        self._roll_out(WRONG, "neither fails nor is slow, and answers wrongly")
        self._calm("after the rollback", self._timing.between)
        self._roll_out(BAD, "fails on hot days and is slow")
        self._calm("after the rollback", self._timing.after)

    def _roll_out(self, version: str, about: str) -> None:
        model, card = self._models.artefact(version), self._models.card(version)
        done = registry.register(self._aws, self._endpoint, model=model, version=version, card=card)
        self._seen.approvals.append(Approval(version, self._pace.now()))
        registry.decide(self._aws, done.package, "Approved", "approved by the demo")
        self._until(lambda: self._ended(version), f"{version}: {about}", LONGEST_ROLLOUT_SECONDS)

    def _ended(self, version: str) -> bool:
        return any(rollout.version == version and rollout.ended for rollout in self._seen.rollouts)

    def _calm(self, chapter: str, seconds: float) -> None:
        self._until(lambda: False, chapter, seconds)

    def _until(self, condition: Callable[[], bool], chapter: str, longest: float) -> None:
        deadline = self._pace.now() + longest
        while not condition() and self._pace.now() < deadline:
            self._show(chapter, self._pace.now())
            self._bad_luck.look(GOOD, self._pace.now())
            self._pace.sleep(LOOK_SECONDS)
