"""``python -m model_containers.training <command>``: makes the rain models, and runs the pipeline's steps."""

import argparse
import logging
import os
import sys
from pathlib import Path

# Libraries for training take seconds to import, and most commands need few of them: each imports its own.

VERSIONS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0", "2.0.0")


def main(arguments: list[str]) -> int:
    """Run a command; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _build(options: argparse.Namespace) -> int:
    from .build import build

    build(options.output, options.version or VERSIONS)
    return 0


def _train(options: argparse.Namespace) -> int:
    from .build import write_files

    write_files(options.version, options.output)
    return 0


def _bootstrap(_: argparse.Namespace) -> int:
    from .build import write_bootstraps

    write_bootstraps()
    return 0


def _quantise(options: argparse.Namespace) -> int:
    from . import quantise_command

    return quantise_command.run(options.version, options.output, options.tolerance, options.largest_difference)


def _prepare(options: argparse.Namespace) -> int:
    from .steps import job, prepare

    return job.processing(lambda here: prepare.run(here, options))


def _challenger(_: argparse.Namespace) -> int:
    from .steps import challenger, job

    return job.training(challenger.run)


def _evaluate(options: argparse.Namespace) -> int:
    from .steps import evaluate, job

    return job.processing(lambda here: evaluate.run(here, options))


def _checks(options: argparse.Namespace) -> int:
    from .steps import checks, job

    return job.processing(lambda here: checks.run(here, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model_containers.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_model_commands(commands)
    _add_steps(commands)
    return parser


def _add_model_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    build = commands.add_parser("build", help="archives, cards and baselines of versions; skips what is current")
    build.add_argument("--output", type=Path, default=Path("build/models"))
    build.add_argument("--version", action="append", choices=VERSIONS, help="only this one; may be repeated")
    build.set_defaults(run=_build)
    train = commands.add_parser("train", help="one version's files, as a SageMaker training job leaves them")
    train.add_argument("--version", required=True, choices=VERSIONS)
    train.add_argument("--output", type=Path, default=Path(os.environ.get("SM_MODEL_DIR", "/opt/ml/model")))
    train.set_defaults(run=_train)
    bootstrap = commands.add_parser("bootstrap", help="remake the artefacts that are committed for first deployments")
    bootstrap.set_defaults(run=_bootstrap)
    quantise = commands.add_parser("quantise", help="a version in INT8, if it answers as well as in float")
    quantise.add_argument("--version", required=True, choices=VERSIONS)
    quantise.add_argument("--output", type=Path, default=Path("build/models"), help="gets <version>-int8/")
    quantise.add_argument(
        "--tolerance", type=float, help="by how much accuracy and AUC may fall and the Brier score rise; 0.005"
    )
    quantise.add_argument(
        "--largest-difference", type=float, help="by how much the probability of any one day may change; 0.1"
    )
    quantise.set_defaults(run=_quantise)


def _add_steps(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    prepare = commands.add_parser("prepare", help="pipeline step: join captures with labels, validate, split by time")
    prepare.add_argument("--endpoint", default="", help="whose traffic it is, for the report")
    prepare.add_argument("--since", default="", help="ISO 8601: when the drift began, if it is about one")
    prepare.add_argument("--until", default="", help="ISO 8601: what was answered later is left out")
    prepare.set_defaults(run=_prepare)
    challenger = commands.add_parser("challenger", help="pipeline step: fit candidates, write the best")
    challenger.set_defaults(run=_challenger)
    evaluate = commands.add_parser("evaluate", help="pipeline step: champion and challenger on the held-out rows")
    evaluate.add_argument("--endpoint", default="", help="whose models they are, for the record")
    evaluate.add_argument("--run-id", default="", help="the retraining, for the record")
    evaluate.add_argument("--champion-version", default="", help="for the record")
    evaluate.add_argument("--least-gain", default="0.01", help="share of rows, 0..1, by which accuracy has to rise")
    evaluate.add_argument("--slices", default="", help="columns to look at by themselves, with commas; all without")
    evaluate.set_defaults(run=_evaluate)
    checks = commands.add_parser("checks", help="pipeline step: calibration and differences between slices")
    checks.add_argument("--slices", default="", help="columns whose slices have to be within limits, with commas")
    checks.set_defaults(run=_checks)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
