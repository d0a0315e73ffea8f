"""The life of a batch transform: a model's container, objects in, one answered object out for each."""

from typing import Any

from localcloud.physics.records import Model
from localcloud.services.jobs.data_processing import processing_of
from localcloud.services.jobs.life import TRANSFORMING, ClosedError, JobLife, Surroundings, Tell
from localcloud.services.jobs.model_server import ModelServer, serving
from localcloud.services.jobs.payloads import MEGABYTE
from localcloud.services.jobs.records import COMPLETED, STOPPED, Job, JobFailureError, Order
from localcloud.services.jobs.storage import RoleStorage, Source
from localcloud.services.jobs.transform import TransformKind
from localcloud.services.jobs.transforming import Terms, Transformation
from localcloud.services.role_access import RoleSession

_MEGABYTES, _TIMEOUT_SECONDS, _RETRIES = 6, 600, 3
"""What SageMaker assumes of a request that says nothing."""


class _StopError(Exception):
    """Somebody has asked to stop."""


class TransformWorker(JobLife):
    """Runs one batch transform under its model's role; see `JobLife`."""

    def __init__(self, kind: TransformKind, job: Job, here: Surroundings, tell: Tell) -> None:
        self._model: Model = here.model(job.request["ModelName"])
        super().__init__(kind, job, str(self._model.request["ExecutionRoleArn"]), here, tell)

    def _live(self, session: RoleSession) -> None:
        storage = RoleStorage(session.client("s3"))
        try:
            self._prepare()
            self._obey()
            failures = self._transform(session, storage)
        except _StopError:
            self._end(STOPPED, "Stopped", None)
            return
        if failures:
            raise JobFailureError(f"ClientError: {_told(failures)}")
        self._end(COMPLETED, "Completed", None)

    def _transform(self, session: RoleSession, storage: RoleStorage) -> list[str]:
        sources = self._sources(storage)
        archive = storage.read(self._model.data_url) if self._model.data_url else None
        log, scratch = self._log(session), self._scratch
        with serving(self._here, self._job, self._model, archive, scratch, log, self._obey) as container:
            self._to(TRANSFORMING, "The model answers")
            server = ModelServer(container, self._headers(), *self._patience())
            terms = self._terms(server.wanted())
            processing = processing_of(self._job.request)
            answer = server.answer if processing is None else processing.around(server.answer)
            work = Transformation(answer, storage, terms, scratch.root / "transform", self._obey)
            return work.run(sources)

    def _sources(self, storage: RoleStorage) -> list[Source]:
        asked = self._job.request["TransformInput"]["DataSource"]["S3DataSource"]
        if asked["S3DataType"] == "ManifestFile":
            return storage.in_manifest(asked["S3Uri"])
        return storage.under_prefix(asked["S3Uri"])

    def _terms(self, wanted: dict[str, Any]) -> Terms:
        request = self._job.request
        output = request["TransformOutput"]
        megabytes = request.get("MaxPayloadInMB") or wanted.get("MaxPayloadInMB") or _MEGABYTES
        single = "SINGLE_RECORD" if request.get("BatchStrategy") == "SingleRecord" else "MULTI_RECORD"
        strategy = single if request.get("BatchStrategy") else wanted.get("BatchStrategy")
        return Terms(
            at_once=int(request.get("MaxConcurrentTransforms") or wanted.get("MaxConcurrentTransforms") or 1),
            most_bytes=int(megabytes * MEGABYTE),
            by_line=request["TransformInput"].get("SplitType") == "Line",
            many=strategy != "SINGLE_RECORD",
            ends_lines=output.get("AssembleWith") == "Line",
            output=output["S3OutputPath"].rstrip("/"),
            key=output.get("KmsKeyId") or None,
        )

    def _headers(self) -> dict[str, str]:
        request = self._job.request
        told = {
            "Content-Type": request["TransformInput"].get("ContentType"),
            "Accept": request["TransformOutput"].get("Accept"),
        }
        return {name: value for name, value in told.items() if value}

    def _patience(self) -> tuple[float, int]:
        """Return how long an answer may take, and how often a payload is sent."""
        asked = self._job.request.get("ModelClientConfig") or {}
        retries = asked.get("InvocationsMaxRetries", _RETRIES)
        return float(asked.get("InvocationsTimeoutInSeconds") or _TIMEOUT_SECONDS), 1 + int(retries)

    def _obey(self) -> None:
        if self._job.order is Order.CLOSE:
            raise ClosedError
        if self._job.order is Order.STOP:
            raise _StopError


def _told(failures: list[str]) -> str:
    more = f" (and {len(failures) - 1} more objects)" if len(failures) > 1 else ""
    return f"See job logs for more information: {failures[0]}{more}"
