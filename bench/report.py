"""What a run has found: a table to read, and a file to keep."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from bench.comparison import NOISY_SPREAD, Comparison
from bench.machine import Machine


class Finding(Protocol):
    """What a measurement found, where that is no ratio."""

    def table(self) -> Table:
        """Return what to print."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""

    @property
    def over(self) -> list[str]:
        """The declared limits that it passes."""


@dataclass(frozen=True)
class Report:
    """A run's comparisons and the circumstances.

    Parameters
    ----------
    comparisons
        In the order in which they are shown.
    seconds
        How long the run took.
    machine
        Where it took place.
    generator_busy
        The most of a core that the load generator itself has taken.
    findings
        What is no ratio, by name.
    """

    comparisons: Sequence[Comparison]
    seconds: float
    machine: Machine
    generator_busy: float
    findings: Mapping[str, Finding] = field(default_factory=dict)

    @property
    def over(self) -> list[str]:
        """Return every declared limit that was passed, and by what."""
        return [f"{name}: {what}" for name, finding in self.findings.items() for what in finding.over]

    def show(self, console: Console) -> None:
        """Print the table, what the ratios mean, and how far they can be trusted."""
        console.print(self._table())
        for number, each in enumerate(self.comparisons, start=1):
            console.print(f"{number:>3}  {each.sentence}", soft_wrap=not console.is_terminal)
        console.print()
        for finding in self.findings.values():
            console.print(finding.table())
        for note in self.notes():
            console.print(note, soft_wrap=not console.is_terminal)

    def save(self, path: Path) -> None:
        """Write everything as JSON."""
        content = {
            "seconds": round(self.seconds, 1),
            "machine": asdict(self.machine),
            "load_generator_busy": self.generator_busy,
            "notes": self.notes(),
            "comparisons": [each.to_dict() for each in self.comparisons],
            **{name: finding.to_dict() for name, finding in self.findings.items()},
        }
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def notes(self) -> list[str]:
        """Return how far the numbers can be trusted."""
        notes = [
            f"{self.seconds:.0f} s on {self.machine.cores} cores. Ratios are medians of rounds in turns; "
            f"the load generator took at most {self.generator_busy:.0%} of a core."
        ]
        noisy = [str(number) for number, each in enumerate(self.comparisons, start=1) if each.noisy]
        if noisy:
            which = ", ".join(noisy)
            notes.append(f"Noisy (!): in {which} the middle half of the rounds spans more than {NOISY_SPREAD:.0%}.")
        if self.machine.busy:
            notes.append(f"The machine was busy before the run began (load {self.machine.load_before:.1f}).")
        return notes

    def _table(self) -> Table:
        table = Table(title="What it costs, as ratios", title_justify="left")
        table.add_column("", justify="right")
        table.add_column("measured")
        table.add_column("against")
        table.add_column("ratio", justify="right", style="bold", no_wrap=True)
        table.add_column("rounds", justify="right", no_wrap=True)
        numbered = enumerate(self.comparisons, start=1)
        for group, members in groupby(numbered, key=lambda member: member[1].group):
            table.add_section()
            table.add_row("", f"[italic]{group}[/italic]")
            for number, each in members:
                table.add_row(str(number), each.subject, each.peer, each.show(each.ratio), _range(each))
        return table


def _range(comparison: Comparison) -> str:
    lowest, highest = (comparison.show(value) for value in (min(comparison.rounds), max(comparison.rounds)))
    return f"{lowest} to {highest}{' !' if comparison.noisy else '  '}"
