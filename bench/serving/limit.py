"""The limit that all servers are held against: the model alone, at the batch that suits it best."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.serving.models import Case
from bench.serving.peers.bench_model import MAX_BATCH
from bench.serving.processes import on_core
from stacks.config import ROOT

BATCHES = tuple(2**power for power in range(MAX_BATCH.bit_length()))
CHOICE_SECONDS = 0.15


@dataclass(frozen=True)
class Loop:
    """A while of batches in a bare loop.

    Parameters
    ----------
    rate
        Rows a second.
    p50, p99
        Seconds a batch.
    cpu_seconds
        Processor time a row.
    """

    rate: float
    p50: float
    p99: float
    cpu_seconds: float


class Limit:
    """The model alone, in a process that waits to be asked.

    Parameters
    ----------
    process
        Running `bench.serving.raw`.
    cold_seconds, load_seconds
        From its start to its first answer; what of that went into opening the model and running it once.
    rss_bytes
        Its memory after that.
    """

    def __init__(
        self, process: "subprocess.Popen[str]", cold_seconds: float, load_seconds: float, rss_bytes: int
    ) -> None:
        self.cold_seconds, self.load_seconds, self.rss_bytes = cold_seconds, load_seconds, rss_bytes
        self._process = process
        rates = {batch: self.loop(batch, CHOICE_SECONDS).rate for batch in BATCHES}
        self.best_batch = max(rates, key=lambda batch: rates[batch])

    def loop(self, batch: int, seconds: float) -> Loop:
        """Run batches for a while; nobody else is to run on the core meanwhile."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{batch} {seconds}\n")
        self._process.stdin.flush()
        return Loop(**_line(self._process))


@contextmanager
def limit(case: Case, core: int) -> Iterator[Limit]:
    """Run the model alone on a core."""
    began = time.perf_counter()
    with (
        on_core(core),
        subprocess.Popen(
            [sys.executable, "-m", "bench.serving.raw", str(case.folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            load_seconds = _line(process)["load_seconds"]
            yield Limit(process, time.perf_counter() - began, load_seconds, _rss_bytes(process.pid))
        finally:
            process.kill()


def _line(process: "subprocess.Popen[str]") -> dict[str, float]:
    assert process.stdout is not None
    content: dict[str, float] = json.loads(process.stdout.readline())
    return content


def _rss_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))
