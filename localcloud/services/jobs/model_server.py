"""A model's container for the time of a batch transform: started once, and gone for good when it ends."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from localcloud.physics.container_log import ContainerLog
from localcloud.physics.image_program import image_environment, local_command
from localcloud.physics.model_folder import extract_model, remove_model
from localcloud.physics.ports import (
    ContainerTimeoutError,
    ContainerUnreachableError,
    Headers,
    ImageMissingError,
    ModelArchiveError,
)
from localcloud.physics.process import ProcessContainer, Program
from localcloud.physics.records import Model
from localcloud.services.jobs.life import Surroundings
from localcloud.services.jobs.records import Job, JobFailureError
from localcloud.services.jobs.scratch import Scratch
from localcloud.services.jobs.transforming import RecordRefusedError

_LOOK_SECONDS = 0.1
_ASK_SECONDS = 5.0
_BETWEEN_TRIES_SECONDS = 0.5
_LONGEST_WORD = 300


class ModelServer:
    """What answers the payloads of one job.

    Parameters
    ----------
    container
        The running container.
    headers
        Of every invocation.
    timeout, tries
        How long an answer may take, and how often a payload is sent before it counts as refused.
    """

    def __init__(self, container: ProcessContainer, headers: Headers, timeout: float, tries: int) -> None:
        self._container = container
        self._headers = headers
        self._timeout = timeout
        self._tries = tries

    @property
    def gone(self) -> bool:
        """Whether its process has ended; the one that takes its place is not this job's."""
        return bool(self._container.restarts) or not self._container.alive

    def wanted(self) -> dict[str, Any]:
        """Return what the container itself wants of a job; nothing of most."""
        with suppress(ContainerTimeoutError, ContainerUnreachableError, ValueError):
            status, _, body = self._container.get("/execution-parameters", _ASK_SECONDS)
            found = json.loads(body) if status == 200 else {}
            return found if isinstance(found, dict) else {}
        return {}

    def answer(self, body: bytes) -> bytes:
        """Return the answer to a payload.

        Raises
        ------
        RecordRefusedError
            When the model does not answer it.
        JobFailureError
            When there is nobody left to answer.
        """
        problem = ""
        for attempt in range(self._tries):
            if attempt:
                time.sleep(_BETWEEN_TRIES_SECONDS)
            try:
                status, _, answer = self._container.invoke(body, self._headers, self._timeout)
            except (ContainerTimeoutError, ContainerUnreachableError) as error:
                problem = str(error)
                self._check_alive()
                continue
            if status == 200:
                return answer
            problem = f"Bad HTTP status received from algorithm: {status}: {_shown(answer)}"
            if status < 500:
                break
        raise RecordRefusedError(problem)

    def _check_alive(self) -> None:
        time.sleep(_LOOK_SECONDS)  # until the end of a process that broke a connection off is known
        if self.gone:
            raise JobFailureError("AlgorithmError: The model's container ended while it was working on the input")


@contextmanager
def serving(
    here: Surroundings,
    job: Job,
    model: Model,
    archive: bytes | None,
    scratch: Scratch,
    log: ContainerLog,
    obey: Callable[[], None],
) -> Iterator[ProcessContainer]:
    """Run the model's container until it answers pings, and kill it in the end."""
    folder = scratch.root / "model"
    try:
        extract_model(archive, folder)
    except ModelArchiveError as error:
        raise JobFailureError(f"ClientError: the model data {model.data_url} is no tar.gz archive: {error}") from error
    settings = here.settings
    container = ProcessContainer(job.name, _program(here, job, model, str(folder)), log, settings, lambda _: None)
    container.start()
    try:
        _await_health(container, settings.default_startup_timeout_seconds, obey)
        job.server = container.pid
        yield container
    finally:
        job.server = None
        container.stop()
        if container.pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(container.pid, signal.SIGKILL)
        container.join()
        remove_model(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _await_health(container: ProcessContainer, seconds: float, obey: Callable[[], None]) -> None:
    until = time.monotonic() + seconds
    while not container.ping():
        obey()
        if container.restarts or time.monotonic() > until:
            raise JobFailureError("AlgorithmError: The model's container did not pass the ping health check")
        time.sleep(_LOOK_SECONDS)


def _program(here: Surroundings, job: Job, model: Model, folder: str) -> Program:
    try:
        image = here.images.get(model.image)
    except ImageMissingError as missing:
        raise JobFailureError(f"ClientError: Cannot find the image {missing} of the model {model.name}") from missing
    given = {**model.environment, **(job.request.get("Environment") or {}), **_variables(job.request)}
    environment = {**image_environment(image, given), "SM_MODEL_DIR": folder}
    return Program(local_command(image.dockerfile.program("serve"), here.python), image.folder, environment)


def _variables(request: Mapping[str, Any]) -> dict[str, str]:
    """Return what SageMaker tells the container of the job, as far as the request says it."""
    told = {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}.get(
            request.get("BatchStrategy", "")
        ),
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": request.get("MaxPayloadInMB"),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": request.get("MaxConcurrentTransforms") or None,
    }
    return {name: str(value) for name, value in told.items() if value is not None}


def _shown(answer: bytes) -> str:
    return answer[:_LONGEST_WORD].decode(errors="replace")
