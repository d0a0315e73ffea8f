"""What a measurement found: a table, and goals."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.drift.goals import Goal


@dataclass(frozen=True)
class Measurement:
    """A part of the benchmark.

    Parameters
    ----------
    title
        What was measured.
    head, rows
        A table, as text.
    goals
        Goals beside results; none where nothing was declared.
    notes
        Sentences that belong to it.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    goals: Sequence[Goal] = ()
    notes: Sequence[str] = field(default_factory=tuple)
