"""The container under five times the load that it can bear: ``python -m bench.serving.overload``."""

import argparse
import json
import math
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.errors import BenchError
from bench.load import LoadGenerator
from bench.progress import ProgressLine
from bench.rounds import Tell
from bench.servers import SERVING_CONTEXT
from bench.serving import models, wire
from bench.serving.open_loop import OpenLoop, Outcome, Phase
from bench.serving.peers import bench_model
from bench.serving.processes import split_cores
from bench.serving.running import Running, running
from bench.serving.servers import Launch, Server, Setting, container
from stacks.config import ROOT

_MODELS = (models.GPU, models.HEAVY, models.SLOW_GPU)
OUTPUT = ROOT / "build" / "bench" / "serving-overload.json"
PIPED_WIDTH = 130

CAPACITY_CLIENTS, CAPACITY_SECONDS, CAPACITY_ROUNDS = 192, 1.5, 3
CALM, OVERLOAD, AFTER = "calm", "overload", "after"
CALM_SHARE, CALM_SECONDS, AFTER_SECONDS = 0.5, 3.0, 5.0

GOODPUT = 0.90
LATE = 1.1
"""How much later than the deadline an accepted request's p99 may be: the answer still has to be written and read."""
PING_SECONDS = 2.0
RECOVERY_SECONDS = 2.0
GROWTH, GROWTH_BYTES = 0.05, 8e6
SETTLED_SHARE = 0.25
"""Memory is taken as it is after this share of the overload, when queues and pools have filled, and at its end."""
CALM_LATENCY_SECONDS = 0.05
SPARE_CONNECTIONS = 1024
"""For requests that are being refused; the rest is what may wait for the deadline."""


@dataclass(frozen=True)
class Verdict:
    """One thing that has to hold, and whether it did."""

    name: str
    wanted: str
    got: str
    passed: bool


@dataclass(frozen=True)
class Overload:
    """What is done to the container.

    Parameters
    ----------
    seconds
        How long it is overloaded.
    factor
        How many times its capacity arrives.
    deadline_seconds
        The container's ``TIDEGATE_DEADLINE_SECONDS``.
    """

    seconds: float
    factor: float
    deadline_seconds: float


@dataclass(frozen=True)
class Finding:
    """What one model's run gave; rates in requests a second."""

    model: str
    capacity: float
    offered: float
    goodput: float
    refused: float
    unsent: int
    lost: int
    generator_busy: float
    verdicts: Sequence[Verdict]


def measure(server: Server, model: str, plan: Overload, folder: Path, core: int, tell: Tell) -> Finding:
    """Overload the container with one model."""
    case = models.build(model, folder / model)
    expected = [float(value) for value in bench_model.load(case.folder).run(case.rows)[0]]
    with running(server, case, wire.JSON, expected, folder / f"{model}-server", core) as up:
        tell(f"{model}: capacity")
        capacity = _capacity(up)
        tell(f"{model}: {plan.factor:g} times {capacity:,.0f} requests/s for {plan.seconds:g} s")
        up.processes.resume()
        phases = [
            Phase(CALM, CALM_SHARE * capacity, CALM_SECONDS),
            Phase(OVERLOAD, plan.factor * capacity, plan.seconds),
            Phase(AFTER, CALM_SHARE * capacity, AFTER_SECONDS),
        ]
        connections = math.ceil(LATE * plan.deadline_seconds * capacity) + SPARE_CONNECTIONS
        _allow_files(connections)
        load = OpenLoop(up.port, up.requests(models.MOST_CLIENTS), connections)
        outcome = load.run(phases, lambda: float(up.processes.rss_bytes()))
    return _finding(model, capacity, plan, outcome)


def _capacity(up: Running) -> float:
    load = LoadGenerator()
    turns = [up.take_turn(load, CAPACITY_CLIENTS, CAPACITY_SECONDS, 0.5) for _ in range(CAPACITY_ROUNDS)]
    return median(turn.load.rate for turn in turns)


def _allow_files(connections: int) -> None:
    """Raise the limit of open files; the server was started with the same one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + 256
    if hard not in (resource.RLIM_INFINITY,) and hard < needed:
        raise BenchError(f"{needed} open files are needed, and {hard} allowed; a shorter --deadline needs fewer")
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _finding(model: str, capacity: float, plan: Overload, outcome: Outcome) -> Finding:
    record = outcome.records[OVERLOAD]
    offered = len(record.answered) + len(record.refused) + record.lost
    goodput = len(record.answered) / record.seconds
    return Finding(
        model=model,
        capacity=capacity,
        offered=offered / record.seconds,
        goodput=goodput,
        refused=len(record.refused) / record.seconds,
        unsent=record.unsent,
        lost=sum(each.lost for each in outcome.records.values()),
        generator_busy=outcome.busy,
        verdicts=judge(capacity, plan, outcome),
    )


def judge(capacity: float, plan: Overload, outcome: Outcome) -> list[Verdict]:
    """Return what had to hold."""
    record = outcome.records[OVERLOAD]
    return [
        _goodput(len(record.answered) / record.seconds / capacity),
        _tail([latency for _, latency in record.answered], plan.deadline_seconds),
        _memory(outcome, record.began, record.seconds),
        _ping(outcome),
        _recovery(outcome),
        _statuses(outcome),
    ]


def _goodput(share: float) -> Verdict:
    return Verdict("goodput, of capacity", f">= {GOODPUT:.0%}", f"{share:.1%}", share >= GOODPUT)


def _tail(latencies: Sequence[float], deadline: float) -> Verdict:
    bound = LATE * deadline
    p99 = _percentile(latencies, 0.99)
    return Verdict("p99 of what was accepted", f"<= {bound * 1e3:.0f} ms", f"{p99 * 1e3:.0f} ms", p99 <= bound)


def _memory(outcome: Outcome, began: float, seconds: float) -> Verdict:
    settled = [size for when, size in outcome.samples if began + SETTLED_SHARE * seconds <= when <= began + seconds]
    if len(settled) < 2:
        return Verdict("memory", "flat", "too short a run to tell", False)
    first, last = settled[0], settled[-1]
    flat = last - first <= max(GROWTH * first, GROWTH_BYTES)
    return Verdict("memory", "flat", f"{first / 1e6:.0f} to {last / 1e6:.0f} MB", flat)


def _ping(outcome: Outcome) -> Verdict:
    slowest = max((seconds for _, seconds, _ in outcome.pings), default=math.inf)
    unhealthy = sum(status != 200 for _, _, status in outcome.pings)
    got = f"slowest of {len(outcome.pings)}: {slowest * 1e3:.0f} ms, {unhealthy} not 200"
    return Verdict("/ping", f"200 within {PING_SECONDS:g} s", got, slowest <= PING_SECONDS and not unhealthy)


def _recovery(outcome: Outcome) -> Verdict:
    """After the load has dropped, the last request that was refused or slow."""
    calm, after = outcome.records[CALM], outcome.records[AFTER]
    slow = max(3 * _percentile([latency for _, latency in calm.answered], 0.99), CALM_LATENCY_SECONDS)
    bad = [due for due, _ in after.refused] + [due for due, latency in after.answered if latency > slow]
    seconds = max((due - after.began for due in bad), default=0.0)
    if not after.answered:
        seconds = math.inf
    got = f"{seconds:.1f} s until no answer took {slow * 1e3:.0f} ms or was refused"
    return Verdict("recovery", f"<= {RECOVERY_SECONDS:g} s", got, seconds <= RECOVERY_SECONDS)


def _statuses(outcome: Outcome) -> Verdict:
    seen = {status for record in outcome.records.values() for _, status in record.refused}
    got = ", ".join(str(status) for status in sorted(seen)) or "none"
    return Verdict("statuses of what was refused", "503", got, seen <= {503})


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.inf


def _table(findings: Sequence[Finding], plan: Overload) -> Table:
    title = f"{plan.factor:g} times the capacity for {plan.seconds:g} s, deadline {plan.deadline_seconds:g} s"
    table = Table(title=title, title_justify="left")
    for heading in ("", "wanted", "got", ""):
        table.add_column(heading)
    for each in findings:
        table.add_section()
        rates = f"capacity {each.capacity:,.0f}/s, offered {each.offered:,.0f}/s, answered {each.goodput:,.0f}/s"
        generator = f"{each.unsent} unsent, {each.lost} lost, generator {each.generator_busy:.0%}"
        table.add_row(f"[italic]{each.model}[/italic]", "", f"{rates}, refused {each.refused:,.0f}/s; {generator}", "")
        for verdict in each.verdicts:
            mark = "[green]pass[/green]" if verdict.passed else "[red]miss[/red]"
            table.add_row(verdict.name, verdict.wanted, verdict.got, mark)
    return table


def _patient(server: Server, deadline_seconds: float) -> Server:
    """Return the container with a deadline that the test's connections can wait for."""

    def launch(setting: Setting) -> Launch:
        plain = server.launch(setting)
        deadline = {"TIDEGATE_DEADLINE_SECONDS": f"{deadline_seconds:g}"}
        return replace(plain, environment={**plain.environment, **deadline})

    return replace(server, launch=launch)


def main() -> int:
    """Overload, print and save; the status is 1 when something did not hold."""
    options = _parser().parse_args()
    plan = Overload(options.seconds, options.factor, options.deadline)
    server = _patient(container(options.container), plan.deadline_seconds)
    fixed = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(width=None if fixed else PIPED_WIDTH, highlight=False)
    try:
        server_core, generator_core = split_cores()
        os.sched_setaffinity(0, {generator_core})
        with tempfile.TemporaryDirectory(prefix="bench-overload-") as scratch, ProgressLine(console) as progress:
            findings = [
                measure(server, model, plan, Path(scratch), server_core, progress.tell) for model in options.models
            ]
    except BenchError as error:
        console.print(Text(str(error), style="red"), soft_wrap=True)
        return 1
    console.print(_table(findings, plan))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    content = {**asdict(plan), "findings": [asdict(each) for each in findings]}
    options.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    console.print(f"Saved as {options.output}", soft_wrap=True)
    return int(not all(verdict.passed for each in findings for verdict in each.verdicts))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.serving.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S")
    parser.add_argument("--factor", type=float, default=5.0, metavar="X")
    parser.add_argument("--deadline", type=float, default=0.5, metavar="S", help="of the container for a request")
    parser.add_argument("--models", nargs="+", choices=_MODELS, default=_MODELS)
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FILE")
    parser.add_argument(
        "--container", type=Path, default=SERVING_CONTEXT, metavar="FOLDER", help="with the package `serving`"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
