"""How a model package is approved, and what becomes of that. Plain values only."""

from dataclasses import dataclass

ACCEPTED, SUPERSEDED, REFUSED, ALREADY_LIVE = "accepted", "superseded", "refused", "already live"
"""What becomes of an approval; one that was accepted may be displaced by a newer one before it is rolled out."""


@dataclass(frozen=True)
class Episode:
    """One approval of a model package: from being approved to being anything else.

    `heard_at` is when the last event that changed nothing about it was sent, so that it is remarked upon once.
    """

    package_arn: str
    approved_at: float
    closed_at: float | None = None
    outcome: str = ACCEPTED
    heard_at: float = 0.0

    @property
    def open(self) -> bool:
        """Whether the approval still stands."""
        return self.closed_at is None
