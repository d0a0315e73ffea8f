"""Makes the cloud assembly, as `cdk deploy` would, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tidegate.errors import OperatorError
from tidegate.local.launch import CHECKOUT
from tidegate.places import LOCAL

ASSEMBLY = "build/cdk.out.{environment}"
OUTPUT_TAIL = 25


def synth(environment: str = LOCAL, output: Path | None = None) -> Path:
    """Synthesise an environment; return the assembly's folder, which is the environment's own if none is named."""
    folder = CHECKOUT / (output or ASSEMBLY.format(environment=environment))
    run_module(["stacks.synth", environment, "--output", str(folder)], "the templates cannot be synthesised")
    return folder


def run_module(command: Sequence[str], failure: str) -> None:
    """Run a module of this checkout, quietly; raise with the end of what it said when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-OUTPUT_TAIL:])
        raise OperatorError(f"{failure}:\n{tail}", f"run it by hand: python -m {' '.join(command)}")
