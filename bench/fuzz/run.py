"""One run: servers started, inputs sent by several processes, and what had to hold."""

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle, product
from multiprocessing import get_context
from pathlib import Path

from bench.fuzz import chunk, grammar, malformed, targets
from bench.fuzz.chunk import Chunk
from bench.fuzz.tally import Failure, Tally
from bench.fuzz.targets import Served

SENDERS = 2
SETTLED_SHARE = 0.2
"""Of the inputs, after which a server's memory is what it will be."""

GROWTH_BYTES = 24 * 1024 * 1024
"""By which it may be more at the end: bodies of all sizes leave gaps, and a leak of 100 bytes an input is found."""

_GAUGES = ("tidegate_queue_rows", "tidegate_queue_bytes", "tidegate_requests_in_flight")
_MALFORMED_SHARE = 20  # a chunk of malformed HTTP for so many of bodies

Tell = Callable[[int, float], None]


@dataclass(frozen=True)
class Plan:
    """What is sent.

    Parameters
    ----------
    inputs
        How many in all.
    seed
        Another one, other inputs.
    hang_seconds
        How long an answer may take.
    """

    inputs: int
    seed: int
    hang_seconds: float


@dataclass
class Memory:
    """A server's resident memory in bytes: at its start, when it had settled, and at the end."""

    start: int
    settled: int | None = None
    end: int = 0

    @property
    def growth(self) -> int:
        """By how much it grew after it had settled."""
        return self.end - (self.start if self.settled is None else self.settled)


@dataclass
class Outcome:
    """What came of a run: by kind of input, and by server."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    memory: dict[str, Memory] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[Failure]:
        """The inputs that broke something."""
        return [failure for tally in self.tallies.values() for failure in tally.failures]

    @property
    def inputs(self) -> int:
        """How many were sent."""
        return sum(tally.inputs for tally in self.tallies.values())


def run(plan: Plan, folder: Path, tell: Tell) -> Outcome:
    """Send the inputs of a plan to servers with each of the models.

    Raises
    ------
    BenchError
        If a server does not come up, or does not end when told to.
    """
    outcome = Outcome()
    with ExitStack() as stack:
        served = [stack.enter_context(targets.serving(name, folder)) for name in targets.NAMES]
        outcome.memory = {each.name: Memory(each.rss_bytes()) for each in served}
        _send(plan, served, outcome, tell)
        for each in served:
            outcome.memory[each.name].end = each.rss_bytes()
            outcome.broken += _left_over(each)
    outcome.broken += grown(outcome)
    return outcome


def chunks(plan: Plan, served: Sequence[Served]) -> Iterator[Chunk]:
    """Return what is sent, in turn: every kind to every model, again and again."""
    bodies = [*product(grammar.KINDS, served)]
    turns = cycle([*bodies[:_MALFORMED_SHARE], *product([malformed.KIND], served[:1]), *bodies[_MALFORMED_SHARE:]])
    left, number = plan.inputs, 0
    size = min(chunk.INPUTS, -(-plan.inputs // (len(bodies) + 1)))
    for (kind, each), number in zip(turns, range(1 << 40), strict=False):
        if left <= 0:
            return
        yield Chunk(each, kind, min(size, left), plan.seed * 1_000_003 + number, plan.hang_seconds)
        left -= size


def _send(plan: Plan, served: Sequence[Served], outcome: Outcome, tell: Tell) -> None:
    with ProcessPoolExecutor(SENDERS, mp_context=get_context("spawn")) as senders:
        for done in as_completed([senders.submit(chunk.run, each) for each in chunks(plan, served)]):
            tally = done.result()
            outcome.tallies.setdefault(tally.kind, Tally(tally.kind)).add(tally)
            tell(outcome.inputs, max(each.slowest_seconds for each in outcome.tallies.values()))
            for each in served:
                memory = outcome.memory[each.name]
                if memory.settled is None and outcome.inputs >= SETTLED_SHARE * plan.inputs:
                    memory.settled = each.rss_bytes()


def _left_over(served: Served) -> list[str]:
    """Return what a server still holds though nobody waits for anything."""
    status, _ = served.get("/ping")
    broken = [] if status == 200 else [f"{served.name}: /ping answers {status}"]
    _, text = served.get("/metrics")
    for name in _GAUGES:
        found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
        if found is None or float(found[1]) != 0:
            broken.append(f"{served.name}: {name} is {found[1] if found else 'not shown'} at the end")
    return broken


def grown(outcome: Outcome) -> list[str]:
    """Return the servers whose memory grew beyond the bound."""
    return [
        f"{name}: memory grew by {memory.growth / 1e6:.1f} MB after {SETTLED_SHARE:.0%} of the inputs; "
        f"at most {GROWTH_BYTES / 1e6:.1f} MB may be"
        for name, memory in outcome.memory.items()
        if memory.growth > GROWTH_BYTES
    ]
