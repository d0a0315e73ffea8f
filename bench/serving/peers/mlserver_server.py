"""MLServer with adaptive batching: a runtime of one's own, as its documentation shows it."""
# mypy: ignore-errors

import numpy as np
from bench_model import folder_given, load, output_names
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Bench(MLModel):
    """The runtime."""

    async def load(self) -> bool:
        """Load the model in the worker."""
        self._model = load(folder_given())
        self._names = output_names(folder_given())
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Run the whole batch at once."""
        rows = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32)
        outputs = zip(self._names, self._model.run(rows), strict=True)
        encoded = [NumpyCodec.encode_output(name, each.reshape(-1, 1)) for name, each in outputs]
        return InferenceResponse(model_name=self.name, outputs=encoded)
