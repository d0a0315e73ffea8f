"""A deployment: a version of a configuration reaches more and more of an environment's clients."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

DEPLOYING, BAKING, COMPLETE, ROLLED_BACK, REVERTED = "DEPLOYING", "BAKING", "COMPLETE", "ROLLED_BACK", "REVERTED"
UNDER_WAY = (DEPLOYING, BAKING)


@dataclass(frozen=True)
class Strategy:
    """How fast a deployment goes; `growth` in percent of the clients a step."""

    strategy_id: str
    name: str
    minutes: int
    growth: float
    bake_minutes: int = 0
    description: str = ""
    replicate_to: str = "NONE"

    def described(self) -> dict[str, Any]:
        """Return the strategy as the API shows it."""
        return {"Id": self.strategy_id, "Name": self.name, "ReplicateTo": self.replicate_to, **self.pace()}

    def pace(self) -> dict[str, Any]:
        """Return how fast it goes, as a deployment shows it."""
        return {
            "Description": self.description,
            "DeploymentDurationInMinutes": self.minutes,
            "GrowthType": "LINEAR",
            "GrowthFactor": self.growth,
            "FinalBakeTimeInMinutes": self.bake_minutes,
        }


PREDEFINED = (
    Strategy("AppConfig.AllAtOnce", "AppConfig.AllAtOnce", 0, 100.0, 10, "Quick"),
    Strategy("AppConfig.Linear50PercentEvery30Seconds", "AppConfig.Linear50PercentEvery30Seconds", 1, 50.0, 1, "Test"),
    Strategy("AppConfig.Linear20PercentEvery6Minutes", "AppConfig.Linear20PercentEvery6Minutes", 30, 20.0, 30, "Safe"),
)


@dataclass
class Deployment:
    """One deployment; where it stands follows from the time.

    Parameters
    ----------
    number
        Its number in the environment.
    profile, version
        What is deployed.
    seconds, bake_seconds
        How long it takes here.
    now
        Time in epoch seconds.
    """

    number: int
    profile: str
    version: int
    strategy: Strategy
    seconds: float
    bake_seconds: float
    now: Callable[[], float]
    description: str = ""
    label: str = ""
    ended: str = ""
    started_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.started_at = self.now()

    @property
    def state(self) -> str:
        """Return the state now."""
        passed = self.now() - self.started_at
        if self.ended:
            return self.ended
        if passed < self.seconds:
            return DEPLOYING
        return BAKING if passed < self.seconds + self.bake_seconds else COMPLETE

    @property
    def percent(self) -> float:
        """Return the share of clients that get the version: steps of the growth factor, the first at once."""
        if self.ended:
            return 0.0
        passed = self.now() - self.started_at
        if passed >= self.seconds:
            return 100.0
        steps = 100.0 / self.strategy.growth
        return min(self.strategy.growth * (1 + int(passed / self.seconds * steps)), 100.0)

    def reaches(self, client: float) -> bool:
        """Whether a client, a number from 0 to 1, gets the version."""
        return client * 100 < self.percent

    def described(self) -> dict[str, Any]:
        """Return what all answers about the deployment have in common."""
        state = self.state
        done = {"CompletedAt": self._time(self.seconds + self.bake_seconds)} if state == COMPLETE else {}
        return {
            "DeploymentNumber": self.number,
            "ConfigurationVersion": str(self.version),
            **self.strategy.pace(),
            "State": state,
            "PercentageComplete": self.percent,
            "StartedAt": self._time(0),
            **done,
        }

    def _time(self, later: float) -> datetime:
        return datetime.fromtimestamp(self.started_at + later, UTC)
