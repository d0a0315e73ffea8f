"""``python -m model_containers.training quantise``: writes an INT8 version, or says why there is none."""

import logging
from pathlib import Path

from . import artefact, dataset
from .quantise import (
    LARGEST_DIFFERENCE,
    REPORT,
    SUFFIX,
    TOLERANCE,
    Limits,
    NotQuantisableError,
    ToleranceError,
    quantise,
)
from .versions import train

LOGGER = logging.getLogger(__name__)
REFUSED = 1


def run(version: str, output: Path, tolerance: float | None, largest_difference: float | None) -> int:
    """Quantise a version; return the exit status.

    Parameters
    ----------
    version
        Of the float model, which is trained anew: it is the same whenever it is trained.
    output
        Gets the folder ``<version>-int8`` with the archive, the card and the report; nothing if the status is not 0.
    tolerance, largest_difference
        See `quantise.Limits`; None for its defaults.
    """
    limits = Limits(
        TOLERANCE if tolerance is None else tolerance,
        LARGEST_DIFFERENCE if largest_difference is None else largest_difference,
    )
    days = dataset.load()
    try:
        content = quantise(train(version, days), days, limits)
    except NotQuantisableError as error:
        LOGGER.error("version %s is not quantised: %s", version, error)
        return REFUSED
    except ToleranceError as error:
        LOGGER.error("version %s is refused in INT8: %s", version, error)
        LOGGER.error("%s", artefact.as_json(error.report).decode())
        return REFUSED
    folder = output / (version + SUFFIX)
    artefact.write(folder, content)
    LOGGER.info("%s", content[REPORT].decode())
    LOGGER.info("written to %s", folder)
    return 0
