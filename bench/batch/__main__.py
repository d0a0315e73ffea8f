"""A million rows in one batch, killed half-way: ``python -m bench.batch [--rows N] [--objects N]``."""

import argparse
import json
import sys
from dataclasses import asdict

from bench import machine
from bench.batch.run import SETTINGS, Findings, measure
from bench.errors import BenchError

_MEGA = 1_000_000


def main() -> int:
    """Measure and print; the status is 1 when an answer was not what it should be."""
    parser = argparse.ArgumentParser(prog="python -m bench.batch", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--objects", type=int, default=20)
    parser.add_argument("--settings", type=json.loads, default={}, help="of front_door.batch, as JSON")
    given = parser.parse_args()
    try:
        found = measure(given.rows, given.objects, _tell, {**SETTINGS, **given.settings})
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(_lines(found)))
    print(json.dumps({**asdict(found), "machine": asdict(machine.look())}))
    return 0


def _lines(found: Findings) -> list[str]:
    return [
        f"{found.rows:,} rows in {found.objects} objects of {found.input_bytes / _MEGA:.1f} MB in all, each answered "
        f"once and in its place ({found.output_bytes / _MEGA:.1f} MB)",
        f"{found.seconds:.1f} s with {found.jobs} jobs, the first killed after {found.answered_before} objects: "
        f"{found.rows / found.seconds:,.0f} rows a second",
        f"model server: {found.server_bytes / _MEGA:.0f} MB at most; the cloud's process, which keeps all objects and "
        f"runs the transform: {found.worker_bytes / _MEGA:.0f} MB at most, {found.worker_growth / _MEGA:.0f} MB more "
        "than before",
    ]


def _tell(text: str) -> None:
    print(f"\r{text:<78}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
