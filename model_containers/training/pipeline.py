"""The retraining pipeline: which jobs run in which order, written with the SageMaker SDK and committed as JSON.

``python -m model_containers.training.pipeline`` writes ``pipeline.json`` and ``pipeline-spot.json`` beside this file.
It needs the SDK (requirements-sagemaker.txt), no network and no credentials; whatever reads the files needs none of it.

There are two definitions, because a parameter cannot turn managed spot training on: SageMaker refuses
``MaxWaitTimeInSeconds`` without spot and demands it with spot, and a definition cannot leave a field out by a
condition. They differ in these two fields and in the parameter ``MaxWaitSeconds`` that only the latter has.
"""

import argparse
import json
import logging
import os
from pathlib import Path

FOLDER = Path(__file__).parent
FILES = {False: FOLDER / "pipeline.json", True: FOLDER / "pipeline-spot.json"}
"""Where each definition is committed, by whether it trains on spot instances."""

# While it is imported the SDK makes clients, for which it wants a region and looks for credentials; of the trainer's
# role it would ask IAM.
OFFLINE = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "SAGEMAKER_VALIDATE_ROLE": "false",
}


def main() -> None:
    """Write both definitions beside this file, or into another folder."""
    parser = argparse.ArgumentParser(prog="python -m model_containers.training.pipeline", description=__doc__)
    parser.add_argument("--output", type=Path, default=FOLDER, help="the folder to write to")
    folder = parser.parse_args().output
    os.environ.update(OFFLINE)
    from .pipeline_definition import definitions  # takes seconds, and reads the environment

    logging.disable(logging.WARNING)
    for spot, definition in definitions().items():
        (folder / FILES[spot].name).write_text(json.dumps(definition, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
