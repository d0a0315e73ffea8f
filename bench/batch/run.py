"""One batch from its start to its end, its model server killed half-way, and every answer compared."""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.batch.answers import Reference, check
from bench.batch.memory import Watch
from bench.batch.rows import parts
from bench.batch.world import World, model_file, need, world
from bench.rounds import Tell

_LOOK_SECONDS = 0.5
_LONGEST_SECONDS = 3600.0
SETTINGS: Mapping[str, Any] = {"input": "batch-input/rain/", "payload_megabytes": 1, "concurrent": 2}


@dataclass(frozen=True)
class Findings:
    """What a batch took.

    Parameters
    ----------
    rows, objects, input_bytes, output_bytes
        How much it was.
    jobs
        How many transforms it took.
    seconds
        From the order to the manifest, killed and resumed.
    answered_before
        Objects that had their answers when the server was killed.
    server_bytes
        The most memory that a model server took.
    worker_bytes, worker_growth
        The most that the process took in which the cloud keeps all objects and the transform runs, and how much more
        that is than before.
    """

    rows: int
    objects: int
    input_bytes: int
    output_bytes: int
    jobs: int
    seconds: float
    answered_before: int
    server_bytes: int
    worker_bytes: int
    worker_growth: int


def measure(rows: int, objects: int, tell: Tell, settings: Mapping[str, Any] = SETTINGS) -> Findings:
    """Answer so many rows in so many objects; raise `BenchError` if an answer is missing, twice or in another place."""
    with world(settings) as here, tempfile.TemporaryDirectory() as folder:
        tell(f"writing {rows:,} rows")
        size = 0
        for part in parts(rows, objects):
            content = part.csv
            here.put(part.name, content)
            size += len(content)
        with Watch(lambda: _server(here)) as memory:
            began = time.monotonic()
            here.tell({"batch": {"id": "bench"}})
            answered = _kill_half_way(here, objects, tell)
            run = _ended(here, objects, tell)
            seconds = time.monotonic() - began
        need(run["outcome"] == "done", f"the run ended as {run['outcome']}: {run['text']}")
        tell("comparing every answer with the model's own")
        output = _compare(here, run["id"], rows, objects, Reference(model_file(Path(folder))))
        jobs, growth = int(run["attempt"]), memory.own - memory.before
        return Findings(rows, objects, size, output, jobs, seconds, answered, memory.other, memory.own, growth)


def _server(here: World) -> int | None:
    running = here.cloud.jobs.running()
    return here.server(running[0]) if running else None


def _kill_half_way(here: World, objects: int, tell: Tell) -> int:
    """Kill the model server once half of the objects are answered; return how many are."""
    until = time.monotonic() + _LONGEST_SECONDS
    while (answered := len(here.outputs())) < objects // 2:
        need(time.monotonic() < until, "the first half took too long")
        need(here.cloud.jobs.running(), f"the job ended early: {here.runs()}")
        tell(f"{answered} of {objects} objects are answered")
        time.sleep(_LOOK_SECONDS / 5)
    here.cloud.faults.jobs.kill_transform_job(here.cloud.jobs.running()[0])
    return answered


def _ended(here: World, objects: int, tell: Tell) -> dict[str, Any]:
    until = time.monotonic() + _LONGEST_SECONDS
    while not (run := here.runs()[0]).get("outcome") or run["outcome"] is True:
        need(time.monotonic() < until, f"the run did not end: {run}")
        tell(f"{len(here.outputs())} of {objects} objects are answered, job {run['attempt']}")
        time.sleep(_LOOK_SECONDS)
        here.tell()
    return run


def _compare(here: World, run: str, rows: int, objects: int, reference: Reference) -> int:
    keys, size = here.outputs(), 0
    for part in parts(rows, objects):
        key = next((each for each in keys if each.endswith(f"/run={run}/part=0/{part.name}.out")), None)
        need(key, f"{part.name} has no output")
        content = here.get(str(key))
        check(part, content, reference)
        size += len(content)
    need(len(keys) == objects, f"there are {len(keys)} outputs for {objects} objects")
    return size
