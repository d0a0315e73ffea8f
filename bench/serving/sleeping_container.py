"""The serving container with a simulated GPU in its session's place; all else is the real program.

Started as the container is: ``python sleeping_container.py serve``, with its package and the peers' folder on the path.
"""
# mypy: ignore-errors

import functools
import sys
from pathlib import Path
from typing import Any

import numpy as np
from bench_model import SleepingModel
from numpy.typing import NDArray
from serving import __main__ as program


class SleepingSession:
    """A session as the container has them, on a device that sleeps."""

    providers = ("SimulatedGPU",)
    buckets: tuple[int, ...] = ()
    bucket_seconds: tuple[float, ...] = ()

    def __init__(self, folder: Path) -> None:
        self._model = SleepingModel(folder)

    def run(self, rows: NDArray[np.float32]) -> tuple[NDArray[Any], ...]:
        """Take the time that a batch takes."""
        return self._model.run(rows)


def open_session(folder: Path, _signature: Any, _settings: Any) -> SleepingSession:
    """Open the session in place of the container's own."""
    return SleepingSession(folder)


def main() -> int:
    """Serve, from the container's own entry point on."""
    from serving import server

    server.run = functools.partial(server.run, open_session=open_session)
    return program.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
