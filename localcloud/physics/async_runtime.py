"""InvokeEndpointAsync: a request is queued, and answered in S3."""

import logging
import uuid
from typing import Any

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.async_dispatch import AsyncDispatch, Claim
from localcloud.physics.async_metrics import AsyncMetrics, BacklogMetrics
from localcloud.physics.async_settings import async_settings, is_asynchronous
from localcloud.physics.async_topics import TopicTests
from localcloud.physics.async_work import AsyncWork, BrokenOffError
from localcloud.physics.backlog import QueuedRequest
from localcloud.physics.endpoints import SageMakerService
from localcloud.physics.mirroring import Aside, soon
from localcloud.physics.ports import RoleAccount
from localcloud.physics.records import Request
from localcloud.physics.routing import serving
from localcloud.service import Service, operation

_NOT_SIMULATED = ("Body", "Filename", "S3OutputPathExtension")

_log = logging.getLogger(__name__)


class AsyncRuntimeService(Service):
    """Takes asynchronous requests, and has them answered.

    Parameters
    ----------
    sagemaker
        Whose endpoints are invoked.
    account
        S3 and SNS under the models' execution roles.
    aside
        Runs the requests; by default on the clock, which is for simulations only.
    """

    name = "sagemaker-runtime"

    def __init__(self, sagemaker: SageMakerService, account: RoleAccount, *, aside: Aside | None = None) -> None:
        hosting = self._hosting = sagemaker.hosting
        self._work = AsyncWork(hosting, account, AsyncMetrics(hosting.clock, hosting.metrics))
        aside = aside or soon(hosting.clock)
        self._dispatch = AsyncDispatch(hosting, self._answer, aside)
        hosting.test_topics = TopicTests(account, aside)
        self._backlogs = BacklogMetrics(hosting)

    @operation("InvokeEndpointAsync")
    def invoke_endpoint_async(self, request: Request) -> dict[str, Any]:
        """Queue a request; whether its input is there is seen when its turn comes."""
        _check(request)
        with self._hosting.lock:
            endpoint = serving(self._hosting, request["EndpointName"])
            if not is_asynchronous(endpoint.config.request):
                raise AwsError(
                    "ValidationError",
                    f"Endpoint {endpoint.name} has no AsyncInferenceConfig and takes real-time requests only: use "
                    "InvokeEndpoint.",
                )
            settings, name = async_settings(endpoint.config.request), str(uuid.uuid4())
            queued = QueuedRequest(
                asked=request,
                inference_id=request.get("InferenceId") or str(uuid.uuid4()),
                received_at=self._hosting.clock.now(),
                output_location=f"{settings.output}/{name}.out",
                failure_location=f"{settings.failures}/{name}-error.out" if settings.failures else None,
            )
            self._dispatch.accept(endpoint, queued)
        answer = {"InferenceId": queued.inference_id, "OutputLocation": queued.output_location}
        return {**answer, "FailureLocation": queued.failure_location} if queued.failure_location else answer

    def close(self) -> None:
        """Drop what waits; what is under way ends with its containers."""
        self._dispatch.close()
        self._backlogs.close()

    def _answer(self, claim: Claim) -> None:
        try:
            settled = self._settle(claim)
        except Exception:  # what breaks in the local cloud itself must not keep an instance's place
            _log.exception("request %s failed in the local cloud itself", claim.request.inference_id)
            settled = True
        if settled:
            self._dispatch.finished(claim)

    def _settle(self, claim: Claim) -> bool:
        """Answer a request or let it fail; False if it is queued again."""
        try:
            self._work.attempt(claim)
        except BrokenOffError as error:
            if self._dispatch.again(claim):
                return False
            self._work.give_up(claim, f"{error} (attempt {claim.request.attempts})")
        return True


def _check(request: Request) -> None:
    for name in _NOT_SIMULATED:
        if request.get(name):
            raise NotSimulatedError(f"InvokeEndpointAsync {name}")
    location = str(request.get("InputLocation") or "")
    if not location:
        raise AwsError("ValidationError", "InputLocation is required: give the S3 URI of the request's input.")
    if not location.startswith("s3://"):
        raise NotSimulatedError(f"InvokeEndpointAsync InputLocation {location} (here only s3://bucket/key)")
