"""What the monitor's function would carry: nothing, Polars, or DuckDB with NumPy; and how far it comes without."""

import sys
from pathlib import Path
from statistics import median

from bench.drift import inputs
from bench.drift.measurement import Measurement
from bench.drift.processes import PROGRAMS, run
from bench.drift.venvs import python
from bench.rounds import Tell
from stacks.config import ROOT

STARTS = 7
CAREFUL_LINES, QUICK_LINES = 20_000, 3_000
PATIENCE = 60.0
_MODULES = "lambdas.monitoring.capture.counting, lambdas.monitoring.assessment.judging, lambdas.monitoring.report"


def measure(quick: bool, tell: Tell) -> Measurement:
    """Measure sizes, starts, and the careful path's pace."""
    tell("what imports cost")
    here, duckdb = Path(sys.executable), python("duckdb")
    bare, own = _start(here, "pass"), _own_size()
    carried: list[tuple[str, Path, str, tuple[str, ...]]] = [
        ("standard library only (as it is)", here, "", ()),
        ("with Polars", here, "polars, ", ("polars", "polars-runtime-32")),
        ("with DuckDB and NumPy", duckdb, "duckdb, numpy, ", ("duckdb", "numpy")),
    ]
    rows = [
        [
            name,
            f"{(own + (_installed(interpreter, *packages) if packages else 0)) / 1e6:.1f}",
            f"{(_start(interpreter, f'import {modules}{_MODULES}') - bare) * 1000:.0f}",
        ]
        for name, interpreter, modules, packages in carried
    ]
    head = ["the function's code", "unzipped, MB", "import, CPU ms"]
    return Measurement("The function: without libraries, or with", head, rows, notes=[_reach(quick, tell)])


def _reach(quick: bool, tell: Tell) -> str:
    tell("the careful path")
    lines = QUICK_LINES if quick else CAREFUL_LINES
    root = inputs.captures(lines, 1)
    nothing = _start(Path(sys.executable), f"import {_MODULES}")
    cpu = run([sys.executable, PROGRAMS / "careful_captures.py", root]).cpu - nothing
    megabytes, rows = (PATIENCE / cpu * each for each in (inputs.size(root) / 1e6, lines))
    return (
        f"The careful path alone counts {lines / cpu:,.0f} requests a second of 35 columns on one core: in "
        f"{PATIENCE:.0f} s a window of {rows:,.0f} requests, {megabytes:,.0f} MB of captures."
    )


def _start(interpreter: Path, program: str) -> float:
    """Return the CPU seconds of a small program: the median of several starts, after one that fills caches."""
    run([interpreter, "-c", program])
    return median(run([interpreter, "-c", program]).cpu for _ in range(STARTS))


def _installed(interpreter: Path, *names: str) -> int:
    return int(run([interpreter, PROGRAMS / "installed_size.py", *names]).said)


def _own_size() -> int:
    return sum(path.stat().st_size for path in (ROOT / "lambdas").rglob("*.py"))
