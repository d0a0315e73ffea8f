"""Callers who come back together: how long a batch should wait for those who were answered last.

A caller that has one request under way at a time, as most clients have, sends the next one when it has its answer.
Those who shared a batch then come back at once, and if the device takes whoever is there first, the callers fall into
two crowds that take turns: the device runs twice as many batches, each half as full. If all that a batch costs grew
with its rows, that would not matter; but most of what a GPU takes for a small batch is the same whatever is in it.

So a batch waits for those who were answered just before, if they have shown that they come back at once. Callers who
come on their own, however many they are, are never waited for.
"""

from .ticket import Ticket

_WEIGHT = 0.2
"""Of the newest batch in the running mean."""

_TRUSTED = 0.75
"""Share of those answered last that has to be back in time for it to be worth waiting."""

_PATIENCE = 0.5
"""How long they are waited for, or watched while nobody waits, as a share of what the last batch took. Of callers who
come on their own, no more than this share of a batch comes in that time."""

_DISAPPOINTED = -4.0
"""What is thought of callers for whom it was waited in vain: about fifteen batches pass until that is tried again."""


class Cohort:
    """Those who were answered last. Used by the device thread only.

    Parameters
    ----------
    longest_seconds
        Is waited at most; 0 for never.
    """

    def __init__(self, longest_seconds: float) -> None:
        self._longest = longest_seconds
        self._faith = 0.0
        self._rows = 0
        self._back = 0
        self._answered_at = 0.0
        self._waits = False
        self.until = 0.0
        """When those are late who are not back yet."""

    @property
    def is_trusted(self) -> bool:
        """Whether callers have shown that they come back at once."""
        return self._faith >= _TRUSTED and self._longest > 0.0

    @property
    def missing(self) -> int:
        """How many rows are worth waiting for until `until`."""
        return self._rows - self._back if self._waits else 0

    def answered(self, rows: int, now: float, batch_seconds: float, *, waits: bool) -> None:
        """Begin with those who are answered now, having waited for a batch that took so long.

        Parameters
        ----------
        rows
            That they had sent.
        now
            On the clock by which requests arrive.
        batch_seconds
            What their batch took.
        waits
            Whether the device waits for them; otherwise it has gone on to the next batch.
        """
        self._learn()
        self._rows, self._back, self._waits = rows, 0, waits
        self._answered_at = now
        self.until = now + min(_PATIENCE * batch_seconds, self._longest if waits else batch_seconds)

    def saw(self, ticket: Ticket) -> None:
        """Take note of a request."""
        if self._answered_at < ticket.arrived <= self.until:
            self._back = min(self._back + len(ticket.rows), self._rows)

    def _learn(self) -> None:
        if not self._rows:
            return
        self._faith += (self._back / self._rows - self._faith) * _WEIGHT
        if self._waits and not self.is_trusted:
            self._faith = _DISAPPOINTED
