"""Programs as processes of their own, with what each took in all."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from stacks.config import ROOT

PROGRAMS = Path(__file__).parent / "programs"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
"""Libraries would keep threads spinning for work, which costs CPU seconds and says nothing."""

PATIENCE_SECONDS = 1800
_LAST_CHARACTERS = 500


@dataclass(frozen=True)
class Usage:
    """What a process took.

    Parameters
    ----------
    cpu
        Seconds of user and system time, from the start of the interpreter to its end.
    rss
        Greatest resident set, MiB.
    said
        Its output.
    """

    cpu: float
    rss: float
    said: str


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Usage:
    """Run a program to its end.

    Raises
    ------
    BenchError
        When it fails, with its last words.
    """
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT), **(environment or {})}
    with tempfile.NamedTemporaryFile() as told:
        measured = [sys.executable, PROGRAMS / "measured.py", told.name, *command]
        done = subprocess.run(
            [str(word) for word in measured],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        if done.returncode:
            raise BenchError(f"{' '.join(map(str, command))[:200]} failed: {done.stderr[-_LAST_CHARACTERS:]}")
        usage = json.loads(Path(told.name).read_text(encoding="utf-8"))
    return Usage(usage["cpu"], usage["rss"] / 1024, done.stdout)
