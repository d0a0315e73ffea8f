"""SageMaker's contract with a job's container: where files are, and how a failure is told."""

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

LOGGER = logging.getLogger(__name__)
ROOT_VARIABLE, ROOT = "SM_ROOT", "/opt/ml"
LONGEST_MESSAGE = 1_024
"""Characters that SageMaker keeps of an exit message or a failure reason."""


class StepError(Exception):
    """The step cannot go on; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Job:
    """The folders of a job. `root` is ``/opt/ml`` in a container, and elsewhere where jobs run as plain processes."""

    root: Path

    @classmethod
    def here(cls) -> "Job":
        """Return this process's job."""
        return cls(Path(os.environ.get(ROOT_VARIABLE) or ROOT))

    def processing_input(self, name: str) -> Path:
        """Return the folder of a processing job's input."""
        return self.root / "processing" / "input" / name

    def processing_output(self, name: str) -> Path:
        """Return the folder of a processing job's output; it is made."""
        return _made(self.root / "processing" / "output" / name)

    def channel(self, name: str) -> Path:
        """Return the folder of a training job's input channel."""
        return self.root / "input" / "data" / name

    @property
    def model(self) -> Path:
        """Folder that becomes a training job's ``model.tar.gz``; it is made."""
        return _made(self.root / "model")

    @property
    def checkpoints(self) -> Path:
        """Folder that outlives an interruption of a training job; it is made."""
        return _made(self.root / "checkpoints")

    def hyperparameters(self) -> Mapping[str, str]:
        """Return a training job's hyperparameters: all of them are text."""
        path = self.root / "input" / "config" / "hyperparameters.json"
        if not path.exists():
            return {}
        given = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in given.items()}


def processing(step: Callable[[Job], None]) -> int:
    """Run a processing job's step; return the exit status. What went wrong is left in ``output/message``."""
    return _run(step, "message")


def training(step: Callable[[Job], None]) -> int:
    """Run a training job's step; return the exit status. What went wrong is left in ``output/failure``."""
    return _run(step, "failure")


def _run(step: Callable[[Job], None], told_in: str) -> int:
    job = Job.here()
    try:
        step(job)
    except StepError as error:
        LOGGER.error("%s", error)
        _tell(job, told_in, str(error))
        return 1
    except Exception as error:
        # Whoever looks at the job sees this text first, so the unforeseen has to be in it as well.
        LOGGER.exception("unforeseen")
        _tell(job, told_in, f"unforeseen {type(error).__name__}: {error}; the job's log has where it happened")
        return 2
    return 0


def _tell(job: Job, told_in: str, message: str) -> None:
    shown = message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 4] + " ..."
    (_made(job.root / "output") / told_in).write_text(shown, encoding="utf-8")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
