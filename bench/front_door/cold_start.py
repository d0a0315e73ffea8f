"""Cold start of a prediction's function against the least that one takes which calls SageMaker with boto3.

``python -m bench.front_door.cold_start``: both run in fresh interpreters over the bundle that is deployed, in turns,
their modules compiled by the round that does not count.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.comparison import Comparison
from bench.rounds import Measure, Rounds, Tell, take_turns
from lambdas import contract
from stacks.bundling import bundle_functions
from stacks.config import ROOT

ROUNDS = 15
GOAL = 1.15
"""Of the process's own time: what a prediction's function needs beyond its client must be small beside that."""

GROUP = "Cold start of a front door"
FUNCTION, BOTO3 = "import of the function, its client made", "import of boto3, the same client made"
_CODE = {
    FUNCTION: "import lambdas.inference.handlers.predict",
    BOTO3: "import boto3; boto3.client('sagemaker-runtime')",
}
_SETTINGS = (
    '{"endpoint": "rain-local", "auth": "iam", "clients": {}, "segments": [], "breaker": {}, "sticky": true, '
    '"cache": {"seconds": 60, "stale_seconds": 600}, "audit": {"redacted": []}}'
)


def measure(folder: Path, tell: Tell, rounds: int = ROUNDS) -> list[Comparison]:
    """Compare fresh interpreters by the time that passes, and by the processor's.

    Parameters
    ----------
    folder
        For compiled modules.
    tell
        Shows where it is.
    rounds
        How many.
    """
    environment = _environment(folder)
    measures = {
        f"{name}, {kind}": _run(code, environment, kind) for kind in ("wall", "process") for name, code in _CODE.items()
    }
    taken = take_turns(rounds, 1, measures, lambda text: tell(f"cold start of a front door: {text}"))
    return [_compared(taken, kind) for kind in ("wall", "process")]


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(bundle_functions(ROOT)),
        "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        contract.ENV_TABLE: "rollouts",
        contract.ENV_INFERENCE_TABLE: "inference",
        contract.ENV_FRONT_DOOR: _SETTINGS,
    }


def _run(code: str, environment: dict[str, str], kind: str) -> Measure:
    """Return a run of a fresh interpreter; the venv's packages stay out of it."""
    command = [sys.executable, "-S", "-c", code]

    def run() -> float:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        return used.ru_utime + used.ru_stime if kind == "process" else time.perf_counter() - began

    return run


def _compared(taken: Rounds, kind: str) -> Comparison:
    subject, peer = f"{FUNCTION}, {kind}", f"{BOTO3}, {kind}"
    times = {"wall": "as long", "process": "as much of the processor's time"}
    return Comparison(
        group=GROUP,
        subject=subject,
        peer=peer,
        style="multiple",
        rounds=taken.ratios(subject, peer),
        meaning=f"A prediction's function takes {{ratio}} {times[kind]} to be ready as boto3 does for its one client.",
        details={f"{name}, milliseconds": taken.median(name) * 1000 for name in (subject, peer)},
    )


def main() -> int:
    """Measure and print; the status is 1 when the goal was missed."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), lambda text: print(text, file=sys.stderr))
    for each in found:
        print(f"{each.sentence} (spread {each.show(each.spread)}; {each.details})")
    return int(found[1].ratio > GOAL)


if __name__ == "__main__":
    sys.exit(main())
