"""The serving container beside its peers: ``python -m bench.serving [--quick]``."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench import machine
from bench.errors import BenchError
from bench.load import LoadGenerator
from bench.progress import ProgressLine
from bench.servers import SERVING_CONTEXT
from bench.serving import goals, models, plot, report, rows, wire
from bench.serving.matrix import Findings, Plan, measure
from bench.serving.processes import split_cores
from bench.serving.servers import CONTAINER, MOSEC, Server, all_servers
from stacks.config import ROOT

OUTPUT = ROOT / "build" / "bench"
PIPED_WIDTH = 130
QUICK_SERVERS = (CONTAINER, MOSEC, "FastAPI, naive")


def main() -> int:
    """Measure, print and save; the status is 1 only when nothing could be measured."""
    options = _parser().parse_args()
    fixed = sys.stdout.isatty() or "COLUMNS" in os.environ
    console = Console(width=None if fixed else PIPED_WIDTH, highlight=False)
    there, load = machine.look(), LoadGenerator()
    try:
        plan = _plan(options)
        server_core, generator_core = split_cores()
        os.sched_setaffinity(0, {generator_core})
        with tempfile.TemporaryDirectory(prefix="bench-serving-") as scratch, ProgressLine(console) as progress:
            findings = measure(plan, Path(scratch), server_core, load, progress.tell)
    except BenchError as error:
        console.print(Text(str(error), style="red"), soft_wrap=True)
        return 1
    judged = goals.judge(findings.rows, findings.bounds)
    report.show(console, findings, judged, there, progress.seconds)
    _save(options.output, findings, judged, there, progress.seconds, console)
    return 0


def _save(
    folder: Path,
    findings: Findings,
    judged: Sequence[goals.Goal],
    there: machine.Machine,
    seconds: float,
    console: Console,
) -> None:
    more = {
        "indicative": findings.is_indicative,
        "seconds": round(seconds, 1),
        "machine": asdict(there),
        "notes": report.notes(findings, there, seconds),
        "limits": {name: asdict(bound) for name, bound in findings.bounds.items()},
        "goals": [asdict(goal) for goal in judged],
    }
    rows.save(findings.rows, folder / "serving.json", is_indicative=findings.is_indicative)
    rows.save_details(folder / "serving-details.json", findings.rows, findings.missing, more)
    (folder / "serving.svg").write_text(plot.draw(findings.rows, report.mark(findings)), encoding="utf-8")
    console.print(f"Saved as serving.json, serving-details.json and serving.svg in {folder}", soft_wrap=True)


def _plan(options: argparse.Namespace) -> Plan:
    servers = all_servers(options.container)
    plan = Plan(servers=servers)
    if options.quick:
        few = [each for each in servers if each.name in QUICK_SERVERS]
        plan = replace(plan, servers=few, formats=(wire.JSON,), clients=(1, 64), rounds=1, seconds=0.4)
    if options.servers:
        plan = replace(plan, servers=_chosen(servers, options.servers))
    given = {name: getattr(options, name) for name in ("models", "formats", "clients", "rounds", "seconds")}
    return replace(plan, **{name: value for name, value in given.items() if value})


def _chosen(servers: Sequence[Server], wanted: Sequence[str]) -> list[Server]:
    """Return the servers whose names begin as asked for."""
    unknown = [name for name in wanted if not any(_begins(each, name) for each in servers)]
    if unknown:
        raise BenchError(f"no server is called {unknown[0]!r}; there are {', '.join(each.name for each in servers)}")
    return [each for each in servers if any(_begins(each, name) for name in wanted)]


def _begins(server: Server, name: str) -> bool:
    return server.name.lower().startswith(name.lower())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.serving", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one round of short turns, marked as indicative: JSON, 1 and 64 clients, few servers",
    )
    parser.add_argument("--servers", nargs="+", metavar="NAME", help="only those whose names begin like this")
    parser.add_argument("--models", nargs="+", choices=models.NAMES)
    parser.add_argument("--formats", nargs="+", choices=wire.FORMATS)
    parser.add_argument("--clients", nargs="+", type=int, metavar="N")
    parser.add_argument("--rounds", type=int, metavar="N")
    parser.add_argument("--seconds", type=float, metavar="S", help="of each turn that count")
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FOLDER")
    parser.add_argument(
        "--container", type=Path, default=SERVING_CONTEXT, metavar="FOLDER", help="with the package `serving`"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
