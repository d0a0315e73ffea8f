"""``python -m model_containers.training build|train|bootstrap|quantise``."""

import argparse
import logging
import os
import sys
from pathlib import Path

from . import artefact, dataset
from .build import build, packed
from .versions import BOOTSTRAP, VERSIONS, train

BOOTSTRAP_FOLDER = Path(__file__).parents[1] / "bootstrap" / "rain"


def main(arguments: list[str]) -> int:
    """Run a command; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = _parser().parse_args(arguments)
    if options.command == "build":
        build(options.output, options.version or VERSIONS)
    elif options.command == "train":
        days = dataset.load()
        artefact.write(options.output, artefact.files(train(options.version, days), days))
    elif options.command == "quantise":
        from . import quantise_command  # ONNX's tools for it take long to import

        return quantise_command.run(options.version, options.output, options.tolerance, options.largest_difference)
    else:
        artefact.write(BOOTSTRAP_FOLDER, packed(BOOTSTRAP))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model_containers.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build_command = commands.add_parser("build", help="archives and cards of versions; skips what is current")
    build_command.add_argument("--output", type=Path, default=Path("build/models"))
    build_command.add_argument("--version", action="append", choices=VERSIONS, help="only this one; may be repeated")
    train_command = commands.add_parser("train", help="one version's files, as a SageMaker training job leaves them")
    train_command.add_argument("--version", required=True, choices=VERSIONS)
    train_command.add_argument("--output", type=Path, default=Path(os.environ.get("SM_MODEL_DIR", "/opt/ml/model")))
    commands.add_parser("bootstrap", help="remake the artefact that is committed for first deployments")
    quantise_command = commands.add_parser("quantise", help="a version in INT8, if it answers as well as in float")
    quantise_command.add_argument("--version", required=True, choices=VERSIONS)
    quantise_command.add_argument("--output", type=Path, default=Path("build/models"), help="gets <version>-int8/")
    quantise_command.add_argument(
        "--tolerance", type=float, help="by how much accuracy and AUC may fall and the Brier score rise; 0.005"
    )
    quantise_command.add_argument(
        "--largest-difference", type=float, help="by how much the probability of any one day may change; 0.1"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
