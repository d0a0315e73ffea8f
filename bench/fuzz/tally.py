"""What came of inputs."""

from collections import Counter
from dataclasses import dataclass, field

MOST_FAILURES = 20
ALLOWED = frozenset({200, 400, 404, 405, 406, 413, 415, 431})
"""What an input may be answered with: all but 200 are the caller's doing."""


@dataclass(frozen=True)
class Failure:
    """An input that broke something.

    Parameters
    ----------
    why
        In words.
    wire
        All that was sent, to send it again.
    """

    why: str
    wire: bytes


@dataclass
class Tally:
    """What came of some inputs; statuses are -1 where the server closed the connection without an answer."""

    kind: str = ""
    inputs: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)

    def answered(self, status: int, seconds: float, wire: bytes) -> None:
        """Count an answer."""
        self.inputs += 1
        self.statuses[status] += 1
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        if status not in ALLOWED:
            self.failed(f"answered {status}", wire)

    def failed(self, why: str, wire: bytes) -> None:
        """Keep what broke something."""
        if len(self.failures) < MOST_FAILURES:
            self.failures.append(Failure(why, wire))

    def add(self, other: "Tally") -> None:
        """Add what came of others."""
        self.inputs += other.inputs
        self.statuses.update(other.statuses)
        self.slowest_seconds = max(self.slowest_seconds, other.slowest_seconds)
        self.failures += other.failures[: MOST_FAILURES - len(self.failures)]
