"""Captured requests in base64: the job beside the least that parsing the lines costs."""

import sys
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.drift import inputs
from bench.drift.goals import Goal, at_most
from bench.drift.measurement import Measurement
from bench.drift.processes import PROGRAMS, Usage, run
from bench.rounds import Tell

MOST_MIB = 256
FLOOR_RATIO = 3
ONE_ROW, MANY_ROWS = 1, 16
WHY = (
    "to the JSON parser a body is one string; the job decodes it and reads 35 cells from text, for which Polars's CSV "
    "reader alone takes 0.9 times the floor"
)


def measure(quick: bool, rounds: int, tell: Tell) -> Measurement:
    """Run the job and the parser in turns, on requests of one row and of many."""
    rows, goals = [], []
    for per_request, lines in ((ONE_ROW, 850_000), (MANY_ROWS, 96_000)):
        tell(f"writing captures of {per_request} row(s) a request")
        root = inputs.captures(lines // (20 if quick else 1), per_request)
        jobs, parsers = _in_turns(root, rounds, tell)
        megabytes = inputs.size(root) / 1e6
        for name, usages in (("the job", jobs), ("orjson, each line once", parsers)):
            cpu, rss = median(u.cpu for u in usages), max(u.rss for u in usages)
            rows.append([f"{per_request}", f"{megabytes:.0f}", name, f"{cpu:.2f}", f"{rss:.0f}"])
        goals += _goals(per_request, jobs, parsers)
    head = ["rows a request", "MB", "program", "CPU seconds", "RSS, MiB"]
    return Measurement("Captures in base64, CSV bodies of 35 columns with answers", head, rows, goals)


def _in_turns(root: Path, rounds: int, tell: Tell) -> tuple[list[Usage], list[Usage]]:
    jobs, parsers = [], []
    for number in range(rounds):
        tell(f"captures, round {number + 1} of {rounds}")
        jobs.append(run([sys.executable, "-m", "model_containers.monitoring", "job"], {"SM_ROOT": str(root)}))
        parsers.append(run([sys.executable, PROGRAMS / "floor_json.py", *inputs.files(root)]))
    return jobs, parsers


def _goals(per_request: int, jobs: list[Usage], parsers: list[Usage]) -> list[Goal]:
    """Return the goals: CPU only for one row a request, for of more rows to the parser a line still is one string."""
    rss = max(job.rss for job in jobs)
    name = f"memory of the job, {per_request} row(s) a request"
    goals = [Goal(name, f"at most {MOST_MIB} MiB", f"{rss:.0f} MiB", rss <= MOST_MIB)]
    if per_request == ONE_ROW:
        ratios = [job.cpu / parser.cpu for job, parser in zip(jobs, parsers, strict=True)]
        cpu = at_most("CPU of parsing each line once (orjson)", FLOOR_RATIO, ratios)
        goals.insert(0, cpu if cpu.met else replace(cpu, why=WHY))
    return goals
