"""``python -m serving build-engines``: build TensorRT's engines on the machine that will serve the model."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..artefact import SIGNATURE_FILE
from ..errors import StartError
from ..observability.logs import LOGGER
from ..problems import ModelFailedError
from ..settings import Settings
from ..signature import Signature
from .build import build

SUCCESS, FAILURE = 0, 1


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run ``build-engines`` with its arguments; return the exit status."""
    parser = argparse.ArgumentParser("python -m serving build-engines", description=__doc__)
    parser.add_argument("--model-dir", type=Path, default=settings.model_dir, help="the model's folder")
    parser.add_argument("--output", type=Path, help="where to put them; the model's engines/ if not given")
    given = parser.parse_args(arguments)
    try:
        build(given.model_dir, Signature.load(given.model_dir / SIGNATURE_FILE), settings, given.output)
    except (StartError, ModelFailedError) as error:
        LOGGER.error(str(error))
        return FAILURE
    except Exception:  # ONNX Runtime's errors share no base of their own
        LOGGER.exception("the engines could not be built")
        return FAILURE
    return SUCCESS
