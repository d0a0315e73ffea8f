"""What an endpoint of jobs stands for: which model it has been given, and whether that has arrived. Pure.

Each change of the endpoint is written here before it is made, under a number of its own. So whoever reads the same
number before a request is handed over and after it was answered knows that nothing else has answered it.
"""

from dataclasses import dataclass, replace

PAUSES = (900.0, 3600.0, 21_600.0)
"""After how long a config that SageMaker has not put live is asked for again, after each failure; then no more.

Each try starts instances, which cost what they cost until the health check of the container has run out of time.
"""


@dataclass(frozen=True)
class Standing:
    """What the endpoint of an endpoint's jobs stands for.

    Parameters
    ----------
    endpoint
        SageMaker name of the real-time endpoint.
    generation
        Counts the changes.
    config, version, key
        The endpoint config that was asked for, and the model in it, as the rollout engine knows it.
    asked_at, settled_at
        When it was asked for, and since when it is there; 0 while it is not.
    ready_at
        Since when the endpoint takes requests, of whatever version; 0 while it is being made.
    failures, failed_at
        How often in a row SageMaker has not put that config live, and when that was last seen.
    made
        Models and endpoint configs that were made for it, as ``model/<name>`` and ``config/<name>``.
    scaled, scaled_at
        How it was told to scale, and when.
    retired_at
        Since when it is to go; 0 where it is to stay.
    version_of_item
        Counts the writes, so that two that follow at once do not both write.
    """

    endpoint: str
    generation: int = 0
    config: str = ""
    version: str = ""
    key: str = ""
    asked_at: float = 0.0
    settled_at: float = 0.0
    ready_at: float = 0.0
    failures: int = 0
    failed_at: float = 0.0
    made: tuple[str, ...] = ()
    scaled: str = ""
    scaled_at: float = 0.0
    retired_at: float = 0.0
    version_of_item: int = 0

    @property
    def token(self) -> str:
        """Return what stays the same for as long as one model answers; empty while that is not certain."""
        return str(self.generation) if self.settled_at else ""

    @property
    def is_given_up(self) -> bool:
        """Whether its config has failed too often to be asked for again."""
        return self.failures > len(PAUSES)

    @property
    def again_at(self) -> float:
        """Return when its config may be asked for again, where it is not given up."""
        return self.failed_at + PAUSES[self.failures - 1] if self.failures else 0.0

    def is_asking_for(self, config: str) -> bool:
        """Whether that config was asked for and is not there yet."""
        return self.config == config and not self.settled_at

    def changing(self, config: str, version: str, key: str, made: tuple[str, ...], now: float) -> "Standing":
        """Return it as a config is asked for, for which something may have to be made."""
        same = self if config == self.config else replace(self, failures=0, failed_at=0.0)
        return replace(
            same,
            generation=self.generation + 1,
            config=config,
            version=version,
            key=key,
            asked_at=now,
            settled_at=0.0,
            made=tuple(dict.fromkeys((*self.made, *made))),
        )

    def settled(self, now: float) -> "Standing":
        """Return it with what was asked for in its place."""
        return replace(self, settled_at=now, ready_at=self.ready_at or now, failures=0, failed_at=0.0)

    def failed(self, now: float) -> "Standing":
        """Return it with one more failure, if it is one that is not counted yet."""
        if self.failed_at >= self.asked_at:
            return self
        return replace(self, failures=self.failures + 1, failed_at=now)

    def gone(self) -> "Standing":
        """Return it without an endpoint."""
        return replace(self.released(), settled_at=0.0, ready_at=0.0)

    def released(self) -> "Standing":
        """Return it as it is to be told anew how to scale."""
        return replace(self, scaled="", scaled_at=0.0)
