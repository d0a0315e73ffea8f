"""What an interrupted training need not do again.

SageMaker copies the folder to S3 while the job runs, and back before it is started again: after a spot interruption,
and when the pipeline retries the step.
"""

import json
import logging
from pathlib import Path
from typing import Any

LOGGER = logging.getLogger(__name__)
FILE = "progress.json"


class Checkpoints:
    """Results by the name of the work that they took, written whole or not at all.

    Parameters
    ----------
    folder
        Where they are kept.
    inputs
        Digest of what the work depends on. Results of other inputs are not used.
    """

    def __init__(self, folder: Path, inputs: str) -> None:
        self._path = folder / FILE
        self._inputs = inputs
        self._kept = self._read()
        if self._kept:
            LOGGER.info("resumed: %d results are in the checkpoint", len(self._kept))

    def __contains__(self, name: str) -> bool:
        return name in self._kept

    def get(self, name: str) -> Any:
        """Return a result."""
        return self._kept[name]

    def put(self, name: str, result: Any) -> None:
        """Keep a result that JSON can hold."""
        self._kept[name] = result
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps({"inputs": self._inputs, "results": self._kept}), encoding="utf-8")
        partial.replace(self._path)

    def _read(self) -> dict[str, Any]:
        try:
            written = json.loads(self._path.read_text(encoding="utf-8"))
            if written["inputs"] == self._inputs:
                return dict(written["results"])
            LOGGER.warning("the checkpoint is of other inputs and is not used")
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError) as error:
            # An upload that was cut off: the work is done again.
            LOGGER.warning("the checkpoint cannot be read and is not used: %s", error)
        return {}
