"""mosec with dynamic batching, and orjson in place of its default JSON."""
# mypy: ignore-errors

from typing import Any

import mosec
import numpy as np
import orjson
from bench_model import (
    MAX_BATCH,
    folder_given,
    format_given,
    load,
    output_names,
    predictions,
    read_npy,
    split,
    write_npy,
)

# The longest wait for a batch to fill, in ms. Its documentation's example waits 10, which one client would notice.
MAX_WAIT_MILLISECONDS = 1


class Inference(mosec.Worker):
    """Reads, predicts and answers."""

    resp_mime_type = "application/x-npy" if format_given() == "npy" else "application/json"

    def __init__(self) -> None:
        super().__init__()
        self.model = load(folder_given())
        self.names = output_names(folder_given())

    def forward(self, data: list[np.ndarray]) -> list[Any]:
        """Run the whole batch at once."""
        return split(self.model.run(np.concatenate(data)), [len(each) for each in data])


class JsonInference(Inference):
    """JSON on both sides."""

    def deserialize(self, data: bytes) -> np.ndarray:
        """Return a request's rows."""
        return np.array(orjson.loads(data)["instances"], dtype=np.float32)

    def serialize(self, data: Any) -> bytes:
        """Answer."""
        return orjson.dumps(predictions(self.names, data))


class NpyInference(Inference):
    """npy on both sides."""

    def deserialize(self, data: bytes) -> np.ndarray:
        """Return a request's rows."""
        return read_npy(data)

    def serialize(self, data: Any) -> bytes:
        """Answer."""
        return write_npy(data)


if __name__ == "__main__":
    worker = NpyInference if format_given() == "npy" else JsonInference
    server = mosec.Server()
    server.append_worker(worker, num=1, max_batch_size=MAX_BATCH, max_wait_time=MAX_WAIT_MILLISECONDS)
    server.run()
