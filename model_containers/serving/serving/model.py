"""The loaded model: ONNX Runtime behind its signature."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from . import device
from .guard import Guard
from .problems import ModelFailedError
from .settings import Settings
from .signature import Signature

MODEL_FILE = "model.onnx"
SIGNATURE_FILE = "signature.json"
WARM_UP_RUNS = 3


class Model:
    """A model that is ready to answer.

    Parameters
    ----------
    signature
        What it takes and gives.
    session
        The ONNX Runtime session that runs it.
    """

    def __init__(self, signature: Signature, session: onnxruntime.InferenceSession) -> None:
        self.signature = signature
        self.guard = Guard(signature)
        self.output_names = [each.name for each in signature.outputs]
        self._session = session
        self._tensors = [each.tensor for each in signature.outputs]

    @classmethod
    def load(cls, settings: Settings) -> "Model":
        """Load the model of `settings.model_dir` and warm it up on its own sample."""
        signature = Signature.load(settings.model_dir / SIGNATURE_FILE)
        session = _session(settings.model_dir / MODEL_FILE, settings, signature)
        model = cls(signature, session)
        for _ in range(WARM_UP_RUNS):
            model.predict(model.guard.admit(signature.sample))
        return model

    @property
    def providers(self) -> list[str]:
        """The execution providers that the model runs on."""
        return list(self._session.get_providers())

    def predict(self, rows: NDArray[np.float32]) -> list[tuple[object, ...]]:
        """Return one tuple of outputs for each row.

        Raises
        ------
        ModelFailedError
            With ONNX Runtime's own words.
        """
        try:
            results = self._session.run(self._tensors, {self.signature.tensor: rows})
        except Exception as error:  # ONNX Runtime's errors share no base of their own.
            raise ModelFailedError(str(error)) from error
        return list(zip(*(_values(np.asarray(each).reshape(len(rows))) for each in results), strict=True))


def _values(output: NDArray[np.generic]) -> list[object]:
    # A 32-bit float stays one, for its text is the shortest that reads back the same: 0.1, not 0.10000000149011612.
    return list(output) if output.dtype == np.float32 else output.tolist()


def _session(path: Path, settings: Settings, signature: Signature) -> onnxruntime.InferenceSession:
    available = onnxruntime.get_available_providers()
    providers = device.choose(settings.device, available, signature.execution_providers)
    session = onnxruntime.InferenceSession(str(path), _options(settings), providers=providers)
    # ONNX Runtime drops a provider that fails to start, and says so only in its log.
    device.require_gpu(settings.device, session.get_providers())
    return session


def _options(settings: Settings) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.intra_op_threads
    options.inter_op_num_threads = 1
    # Spinning threads win microseconds and cost the neighbours a core.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # failures are reported by us, once
    return options
