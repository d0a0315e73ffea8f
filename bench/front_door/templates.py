"""Synthesise what the front door is measured on: ``python -m bench.front_door.templates FOLDER [--quick]``.

It is `environments/local.yaml`; `--quick` shortens its rollout's steps, and leaves the decision to the alarms.
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path

from lambdas.rollout.policy import Step
from stacks.config import Endpoint, Environment, load_environment
from stacks.synth import app_context, use_bundled_node

LOCAL = "local"
_STEPS = (Step(10, bake_seconds=6), Step(50, bake_seconds=6), Step(100))
_SOAK_SECONDS = 4


def environment(*, quick: bool) -> Environment:
    """Return the environment that is deployed."""
    local = load_environment(LOCAL)
    if not quick:
        return local
    (rain,) = local.endpoints
    return replace(local, endpoints=(_quick(rain),))


def _quick(rain: Endpoint) -> Endpoint:
    return replace(rain, rollout=replace(rain.rollout, steps=_STEPS, soak_seconds=_SOAK_SECONDS, judge=None))


def synthesise(chosen: Environment, output: Path) -> None:
    """Write the cloud assembly of an environment."""
    from aws_cdk import App  # takes seconds

    from stacks.stage import TidegateStage

    use_bundled_node()
    os.environ["CDK_VALIDATION"] = "false"  # takes seconds, and `python -m stacks.gate` does it
    app = App(context=app_context(LOCAL), outdir=str(output))
    TidegateStage(app, f"tidegate-{LOCAL}", environment=chosen)
    app.synth()


def main() -> None:
    """Read the command line and synthesise."""
    parser = argparse.ArgumentParser(prog="python -m bench.front_door.templates", description=__doc__)
    parser.add_argument("output", type=Path, metavar="FOLDER")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    synthesise(environment(quick=options.quick), options.output)


if __name__ == "__main__":
    main()
