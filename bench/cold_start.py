"""Cold start of a control function against the least that anything with boto3 takes."""

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import react_calls
from bench.cloud import Cloud, Function
from bench.comparison import Comparison
from bench.react_overhead import invoke
from bench.rounds import Measure, Rounds, Tell, seconds_of, take_turns
from stacks.bundling import bundle_functions
from stacks.config import ROOT

ROUNDS = 7
COLD, IDLE, BOTO3 = "cold react at rest", "cold react with nothing to do", "import boto3 and make one client"
GROUP = "Cold start of a control function"
_CODE = "import boto3; boto3.client('dynamodb')"


def measure(cloud: Cloud, folder: Path, tell: Tell) -> list[Comparison]:
    """Compare first invocations of fresh workers with fresh interpreters."""
    react, numbers = cloud.functions["react"], itertools.count()
    client = cloud.client("lambda")

    def cold(event: dict[str, Any]) -> Measure:
        def start() -> float:
            # As on AWS, a change of configuration leaves no warm worker behind.
            client.update_function_configuration(FunctionName=react.name, Description=f"bench {next(numbers)}")
            return seconds_of(lambda: invoke(client, react.name, event))

        return start

    measures = {
        COLD: cold(react_calls.AT_REST),
        BOTO3: _fresh_interpreter(react, folder),
        IDLE: cold(react_calls.NOTHING_TO_DO),
    }
    return _comparisons(take_turns(ROUNDS, 1, measures, lambda text: tell(f"cold start: {text}")))


def _fresh_interpreter(react: Function, folder: Path) -> Measure:
    """Return a run of the same interpreter over the same bundle, its modules compiled by the first."""
    environment = {
        "PATH": os.defpath,
        **react.environment,
        "PYTHONPATH": str(bundle_functions(ROOT)),
        "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
    }
    command = [sys.executable, "-S", "-c", _CODE]
    return lambda: seconds_of(lambda: subprocess.run(command, env=environment, check=True))


def _comparisons(rounds: Rounds) -> list[Comparison]:
    details = {f"{name}, milliseconds": rounds.median(name) * 1000 for name in rounds.values}
    what = {
        COLD: "it starts the runtime, makes the clients of three services and seven calls",
        IDLE: "below 1 x because boto3 is not imported before it is needed",
    }
    return [
        Comparison(
            group=GROUP,
            subject=subject,
            peer=BOTO3,
            style="multiple",
            rounds=rounds.ratios(subject, BOTO3),
            meaning=f"A {subject} takes {{ratio}} as long as a fresh interpreter takes to {BOTO3}: {what[subject]}.",
            details=details,
        )
        for subject in (COLD, IDLE)
    ]
