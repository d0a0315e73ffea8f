"""Files of rows: what `bench.batch` found, in a process of its own so that its memory is its own."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from bench.drift.goals import Goal
from bench.drift.measurement import Measurement
from bench.errors import BenchError
from bench.rounds import Tell
from stacks.config import ROOT

ROWS, QUICK_ROWS = 1_000_000, 50_000
OBJECTS = 20
SERVER_MIB = 256
_MIB = 1 << 20
_MEGA = 1_000_000


def measure(quick: bool, tell: Tell) -> Measurement:
    """Answer rows in one batch whose model server is killed half-way."""
    rows = QUICK_ROWS if quick else ROWS
    tell(f"a batch of {rows:,} rows")
    command = [sys.executable, "-m", "bench.batch", "--rows", str(rows), "--objects", str(OBJECTS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"the batch was not answered as it should be:\n{done.stderr[-2000:]}")
    return measurement(json.loads(done.stdout.splitlines()[-1]))


def measurement(found: Mapping[str, Any]) -> Measurement:
    """Return the batch as a part of the page."""
    resumed = found["jobs"] > 1 and found["answered_before"] > 0
    server, growth = found["server_bytes"] / _MIB, found["worker_growth"] / _MIB
    kept = (found["input_bytes"] + found["output_bytes"]) / _MIB
    rows = [
        ["rows", f"{found['rows']:,} in {found['objects']} objects, {found['input_bytes'] / _MEGA:.1f} MB"],
        ["answers", f"{found['output_bytes'] / _MEGA:.1f} MB"],
        ["from the order to the manifest", f"{found['seconds']:.1f} s, {found['jobs']} jobs"],
        ["rows a second", f"{found['rows'] / found['seconds']:,.0f}"],
        ["objects answered before the kill", str(found["answered_before"])],
        ["memory of the model server, at most", f"{server:.0f} MiB"],
        ["memory that the cloud's process grew by", f"{growth:.0f} MiB, for {kept:.0f} MiB of objects"],
    ]
    said = f"{found['jobs']} jobs, the first killed after {found['answered_before']} of {found['objects']} objects"
    goals = [
        Goal("every row answered once and in its place, killed half-way", "all, resumed", said, resumed),
        Goal("memory of the model server", f"at most {SERVER_MIB} MiB", f"{server:.0f} MiB", server <= SERVER_MIB),
    ]
    note = (
        "Every answer is compared with the model's own; one that is missing, twice or in another place ends the "
        "benchmark. The cloud's process keeps all objects in memory, as S3 does elsewhere, and runs the transform."
    )
    return Measurement("A batch, resumed half-way", ["of a batch", "found"], rows, goals, [note])
