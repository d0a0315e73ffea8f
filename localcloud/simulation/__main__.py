"""Runs every schedule, on all processors: ``python -m localcloud.simulation``."""

import argparse
import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from localcloud.simulation.bugs import BUGS, seeded
from localcloud.simulation.explore import Job, Plan, Tally, jobs_of, work_off
from localcloud.simulation.plans import ALL, QUICK
from localcloud.simulation.scenarios import SCENARIOS
from localcloud.simulation.trace import Trace, shrunk

_EVERY_SECONDS = 2.0
_MOST_TRACES = 5
_FEWEST_SCHEDULES = 20_000
"""Of a full run; what falls short of it has lost schedules without anybody having noticed."""


def main(argv: Sequence[str]) -> int:
    """Run the schedules, print what came out, and return 1 when an invariant did not hold or there were too few."""
    parser = argparse.ArgumentParser(prog="python -m localcloud.simulation", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the sample that the tests run")
    parser.add_argument("--scenario", choices=list(SCENARIOS), help="only the schedules of this base")
    parser.add_argument("--bug", choices=sorted(BUGS), help="put a mistake in, to see it caught")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many to run at a time")
    parser.add_argument("--output", type=Path, default=Path("build/simulation"), help="folder of the traces")
    arguments = parser.parse_args(argv)
    began = time.monotonic()
    with seeded(arguments.bug):
        tally = _run(_chosen(arguments.quick, arguments.scenario), arguments.processes)
        _print_counts(tally, time.monotonic() - began)
        traces = list(_traces(tally, arguments.bug))
    for trace in traces:
        path = trace.write(arguments.output)
        _say(f"{trace.violated}\n  {trace.schedule}\n  python -m tidegate replay {path}")
    whole = not arguments.quick and arguments.scenario is None
    return 1 if tally.found or (whole and _falls_short(tally)) else 0


def _falls_short(tally: Tally) -> bool:
    if tally.schedules >= _FEWEST_SCHEDULES:
        return False
    _say(f"a full run has at least {_FEWEST_SCHEDULES:,} schedules, and this one had {tally.schedules:,}: see plans.py")
    return True


def _chosen(quick: bool, scenario: str | None) -> list[Plan]:
    return [plan for plan in (QUICK if quick else ALL) if scenario in (None, plan.scenario)]


def _run(plans: Sequence[Plan], processes: int) -> Tally:
    jobs = [job for plan in plans for job in jobs_of(plan)]
    tally, told = Tally(), time.monotonic()
    # Worlds are full of circles. What is there already need not be looked through for them again and again.
    gc.freeze()
    # Forked, so that bases, and a bug that was put in, are there in every process.
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        for done, part in enumerate(pool.imap_unordered(_work_off, jobs, chunksize=2), start=1):
            for schedule, violation in part.found[: _MOST_TRACES - len(tally.found)]:
                _say(f"{violation}\n  {schedule}")
            tally.add(part)
            if time.monotonic() - told > _EVERY_SECONDS:
                told = time.monotonic()
                _say(f"{done} of {len(jobs)} parts: {tally.schedules:,} schedules, {len(tally.found)} violations")
    return tally


def _work_off(job: Job) -> Tally:
    # Once at the end is much cheaper than now and then, and only through what is new: the trails stay.
    gc.disable()
    try:
        return work_off(job)
    finally:
        gc.enable()
        gc.collect(0)


def _print_counts(tally: Tally, seconds: float) -> None:
    rate = tally.schedules / seconds
    hours = tally.seconds / 3600
    _say(f"{tally.schedules:,} schedules in {seconds:.1f} s ({rate:,.0f} a second), {len(tally.found)} violations")
    _say(f"{tally.calls:,} calls, {hours:,.0f} virtual hours")
    for kind, count in tally.by_kind.most_common():
        _say(f"  {count:7,}  {kind}")


def _traces(tally: Tally, bug: str | None) -> Iterator[Trace]:
    """Return a small trace of each invariant that did not hold."""
    seen: set[int] = set()
    for schedule, violation in sorted(tally.found, key=lambda found: len(str(found[0]))):
        if violation.number not in seen and len(seen) < _MOST_TRACES:
            seen.add(violation.number)
            yield Trace(shrunk(schedule, violation.number), bug, str(violation))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
