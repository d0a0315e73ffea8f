"""What an endpoint of jobs stands for: which model it has been given, and whether that has arrived. Pure.

Each change of the endpoint is written here before it is made, under a number of its own. So whoever reads the same
number before a request is handed over and after it was answered knows that nothing else has answered it.
"""

from dataclasses import dataclass, replace


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
    made: tuple[str, ...] = ()
    scaled: str = ""
    scaled_at: float = 0.0
    retired_at: float = 0.0
    version_of_item: int = 0

    @property
    def token(self) -> str:
        """Return what stays the same for as long as one model answers; empty while that is not certain."""
        return str(self.generation) if self.settled_at else ""

    def changing(self, config: str, version: str, key: str, made: tuple[str, ...], now: float) -> "Standing":
        """Return it as another config is asked for, for which something may have to be made."""
        return replace(
            self,
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
        return replace(self, settled_at=now, ready_at=self.ready_at or now)

    def gone(self) -> "Standing":
        """Return it without an endpoint."""
        return replace(self, settled_at=0.0, ready_at=0.0, scaled="", scaled_at=0.0)
