"""A loaded model with all that it takes to answer with it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from .artefact import SIGNATURE_FILE, Inventory, Trust, prepare, take
from .batching.batcher import Batcher, Limits
from .bodies.formats import Formats
from .bodies.v2.protocol import InferenceProtocol
from .device import Session, UnsupportedModelError
from .guard import Guard
from .inference import Inference
from .observability.gpu_memory import GpuMemory
from .observability.metrics import Metrics
from .problems import ModelFailedError
from .settings import Settings
from .signature import Signature

NAME, VERSION, PLATFORM = "model", "1", "onnx_onnxv1"
"""What the model is called in the Open Inference Protocol, where a server may have many."""

OpenSession = Callable[[Path, Signature, Settings], Session]


class Model:
    """A model that is ready to answer.

    Parameters
    ----------
    loop
        The event loop, which brings requests.
    signature
        What it takes and gives.
    session
        Runs it.
    settings
        How to serve it.
    digest
        Of its files.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        signature: Signature,
        session: Session,
        settings: Settings,
        digest: str,
    ) -> None:
        self.digest = digest
        self.columns = [] if signature.is_tensor else signature.names
        self.outputs = [output.name for output in signature.outputs]
        self.providers = list(session.providers)
        self.protocol = InferenceProtocol(signature, settings.max_rows, NAME, VERSION, PLATFORM)
        self.formats = Formats(signature, settings.max_rows, self.protocol)
        self.metrics = _metrics(signature, settings)
        self.metrics.describe_model(version=settings.model_version, digest=digest, providers=self.providers)
        self._guard = Guard(signature)
        self._session = session
        self._signature = signature
        self._batch_rows = min([settings.max_batch_rows, *session.buckets[-1:]])
        self._inference = inference = Inference(session, self._guard, self.metrics, signature.sample)
        self.batcher = Batcher(loop, inference, _limits(settings, self._batch_rows), inference)

    def warm_up(self) -> None:
        """Run a full batch of the model's own sample, so that the first crowd does not wait for memory."""
        if not self._session.buckets:  # which are all run when they are opened
            sample = self._guard.prepare(self._signature.sample)
            self._session.run(np.resize(sample, (self._batch_rows, *sample.shape[1:])))
        self.protocol.learn(self._inference.run(self._signature.sample[:1]))


def load(loop: asyncio.AbstractEventLoop, settings: Settings, open_session: OpenSession) -> Model:
    """Load the model of `settings.model_dir`, check that it is what was approved, and warm it up on its own sample.

    The digest is taken by another thread meanwhile, and known before anything is served. Where the files must be
    signed, that comes first: ONNX Runtime does not read what nobody has vouched for.

    Raises
    ------
    StartError
        If the files are not there, or not those that were approved, or no model that can be served here.
    """
    try:
        model = _opened(loop, settings, open_session)
        model.warm_up()
    except ModelFailedError as error:
        way_out = "mend the sample in signature.json, or the model"
        raise UnsupportedModelError(f"the model fails on its own sample: {error}; {way_out}") from error
    return model


def _opened(loop: asyncio.AbstractEventLoop, settings: Settings, open_session: OpenSession) -> Model:
    folder = prepare(settings.model_dir, settings.scratch)
    with ThreadPoolExecutor(1, thread_name_prefix="digest") as aside:
        trusted: Future[Inventory] = aside.submit(_trusted, folder, settings)
        if settings.model_public_key is not None:
            trusted.result()
        try:
            signature = Signature.load(folder / SIGNATURE_FILE)
            session = open_session(folder, signature, settings)
        except Exception:
            trusted.result()  # that these are not the approved files says more than what is wrong with them
            raise
        return Model(loop, signature, session, settings, trusted.result().digest)


def _trusted(folder: Path, settings: Settings) -> Inventory:
    inventory = take(folder)
    Trust(settings.model_digest, settings.model_public_key).check(folder, inventory)
    return inventory


def _metrics(signature: Signature, settings: Settings) -> Metrics:
    names = [each.name for each in signature.outputs]
    metrics = Metrics(latency_threshold_seconds=settings.latency_threshold_seconds, output_names=names)
    metrics.watch_gpu(GpuMemory.open())
    return metrics


def _limits(settings: Settings, batch_rows: int) -> Limits:
    return Limits(
        batch_rows=batch_rows,
        queue_rows=settings.max_queue_rows,
        deadline_seconds=settings.deadline_seconds,
        linger_seconds=settings.linger_seconds,
    )
