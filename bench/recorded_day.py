"""The requests that are sent: one recorded day, a row a request."""

import io
from dataclasses import dataclass

import numpy as np

from bench.connection import post_request
from model_containers.training import replay

CSV, NPY = "text/csv", "application/x-npy"


def row() -> str:
    """Return the day as a line of CSV."""
    return replay.rows(replay.REPLAY.start, replay.REPLAY.start + 1)[0]


def array() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return the day as the model takes it."""
    return np.array([[float(cell) for cell in row().split(",")]], dtype=np.float32)


@dataclass(frozen=True)
class Body:
    """A request's body in one of the formats."""

    name: str
    media: str
    content: bytes

    def request(self, path: str = "/invocations") -> bytes:
        """Return the whole request, which asks for the answer in the same format."""
        return post_request(path, self.media, self.content, self.media)


def bodies() -> list[Body]:
    """Return the day as CSV and as npy."""
    buffer = io.BytesIO()
    np.save(buffer, array())
    return [Body("CSV", CSV, row().encode()), Body("npy", NPY, buffer.getvalue())]
