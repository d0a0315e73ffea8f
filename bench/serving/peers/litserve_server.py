"""LitServe with its dynamic batching; ``fast_queue`` is its own advice for a high rate of small requests."""
# mypy: ignore-errors

from typing import Annotated, Any

import litserve
import numpy as np
from bench_model import (
    MAX_BATCH,
    folder_given,
    format_given,
    load,
    output_names,
    port_given,
    predictions,
    read_npy,
    split,
    write_npy,
)
from fastapi import Body, Response

# The shortest wait that lets batches form: with 0 its worker polls, with 5 ms and more one client waits.
BATCH_TIMEOUT_SECONDS = 0.001


class JsonApi(litserve.LitAPI):
    """Reads and answers JSON."""

    def setup(self, _device: str) -> None:
        """Load the model in the worker."""
        self.model = load(folder_given())
        self.names = output_names(folder_given())

    def decode_request(self, request: dict[str, Any]) -> np.ndarray:
        """Return the request's rows."""
        return np.array(request["instances"], dtype=np.float32)

    def batch(self, inputs: list[np.ndarray]) -> list[np.ndarray]:
        """Keep the requests' sizes beside the rows."""
        return inputs

    def predict(self, inputs: list[np.ndarray]) -> list[Any]:
        """Run the whole batch at once."""
        return split(self.model.run(np.concatenate(inputs)), [len(each) for each in inputs])

    def unbatch(self, outputs: list[Any]) -> list[Any]:
        """Return each request's part."""
        return outputs

    def encode_response(self, output: Any) -> dict[str, Any]:
        """Answer as JSON."""
        return predictions(self.names, output)


class NpyApi(JsonApi):
    """Reads and answers npy."""

    def decode_request(self, request: Annotated[bytes, Body(media_type="application/x-npy")]) -> np.ndarray:
        """Return the request's rows."""
        return read_npy(request)

    def encode_response(self, output: Any) -> Response:
        """Answer as npy."""
        return Response(write_npy(output), media_type="application/x-npy")


if __name__ == "__main__":
    api = NpyApi if format_given() == "npy" else JsonApi
    server = litserve.LitServer(
        api(max_batch_size=MAX_BATCH, batch_timeout=BATCH_TIMEOUT_SECONDS, api_path="/invocations"),
        accelerator="cpu",
        workers_per_device=1,
        fast_queue=True,
    )
    server.run(host="127.0.0.1", port=port_given(), num_api_servers=1, generate_client_file=False, log_level="warning")
