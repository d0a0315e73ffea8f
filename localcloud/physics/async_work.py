"""One asynchronous request from its input in S3 to its answer there, under the model's execution role."""

import logging

from localcloud.physics.async_dispatch import Claim
from localcloud.physics.async_messages import failure_message, success_message
from localcloud.physics.async_metrics import AsyncMetrics
from localcloud.physics.container_request import container_headers
from localcloud.physics.hosting import Hosting
from localcloud.physics.ports import (
    AccessError,
    Answer,
    ContainerTimeoutError,
    ContainerUnreachableError,
    RoleAccount,
)
from localcloud.physics.records import Instance

_log = logging.getLogger(__name__)


class BrokenOffError(Exception):
    """The container broke off: the request may be tried again."""


class _FailedError(Exception):
    """The request has failed; `body` is what is written of it."""

    def __init__(self, reason: str, body: bytes | None = None, content_type: str = "text/plain") -> None:
        super().__init__(reason)
        self.reason = reason
        self.body = reason.encode() if body is None else body
        self.content_type = content_type


class AsyncWork:
    """Works on requests, on as many threads as call it.

    Parameters
    ----------
    hosting
        The world.
    account
        S3 and SNS under roles.
    metrics
        Told how it goes.
    """

    def __init__(self, hosting: Hosting, account: RoleAccount, metrics: AsyncMetrics) -> None:
        self._hosting = hosting
        self._account = account
        self._metrics = metrics

    def attempt(self, claim: Claim) -> None:
        """Answer a request, or let it fail; raise `BrokenOffError` if its container did not end it."""
        try:
            self._answer(claim)
        except _FailedError as error:
            self._fail(claim, error)

    def give_up(self, claim: Claim, reason: str) -> None:
        """Let a request fail whose containers broke off."""
        self._fail(claim, _FailedError(f"ClientError: {reason}"))

    def _answer(self, claim: Claim) -> None:
        now, request = self._hosting.clock.now(), claim.request
        if claim.instance is None:
            self._metrics.count(claim.endpoint.name, claim.variant, ExpiredRequests=1)
            waited = f"{now - request.received_at:.0f} s"
            raise _FailedError(f"ClientError: The request expired: it waited {waited}, longer than RequestTTLSeconds.")
        if request.attempts == 1:
            self._metrics.took(claim.endpoint.name, claim.variant, TimeInBacklog=now - request.received_at)
        body = self._read(claim)
        _, headers, answer = self._ask(claim, claim.instance, body)
        content_type = headers.get("content-type", "application/octet-stream")
        self._write(claim, answer, content_type)
        message = success_message(request, claim.endpoint.name, self._hosting.region, self._now(), content_type)
        self._end(claim, claim.settings.success_topic, message, failed=False)

    def _read(self, claim: Claim) -> bytes:
        began, where = self._now(), (claim.endpoint.name, claim.variant)
        try:
            body = self._account.read(claim.role_arn, claim.request.asked["InputLocation"])
        except AccessError as error:
            self._metrics.count(*where, RequestDownloadFailures=1)
            raise _FailedError(f"ClientError: The request could not be downloaded: {error}") from error
        self._metrics.took(*where, RequestDownloadLatency=self._now() - began)
        return body

    def _ask(self, claim: Claim, instance: Instance, body: bytes) -> Answer:
        began, where = self._now(), (claim.endpoint.name, claim.variant)
        status, headers, answer = self._post(claim, instance, body)
        self._metrics.answered(*where, status, self._now() - began)
        if 200 <= status < 300:
            return status, headers, answer
        kind = "client" if 400 <= status < 500 else "server"
        raise _FailedError(
            f"ClientError: Received {kind} error ({status}) from model. See the SageMaker Endpoint logs in your "
            "account for more information.",
            answer,
            headers.get("content-type", "application/octet-stream"),
        )

    def _post(self, claim: Claim, instance: Instance, body: bytes) -> Answer:
        reason = self._hosting.faults.take_answer(claim.endpoint.name, claim.variant)
        if reason is not None:
            return 500, {}, reason.encode()
        try:
            return instance.container.invoke(body, container_headers(claim.request.asked), claim.request.timeout)
        except ContainerTimeoutError as error:
            raise _FailedError(
                f"ClientError: Your invocation timed out while waiting for a response from container primary: there "
                f"was none within InvocationTimeoutSeconds ({claim.request.timeout:.0f} s)."
            ) from error
        except ContainerUnreachableError as error:
            raise BrokenOffError(f"the connection to container primary broke: {error}") from error

    def _write(self, claim: Claim, answer: bytes, content_type: str) -> None:
        began, where, settings = self._now(), (claim.endpoint.name, claim.variant), claim.settings
        try:
            self._account.write(claim.role_arn, claim.request.output_location, answer, content_type, settings.key)
        except AccessError as error:
            self._metrics.count(*where, ResponseUploadFailures=1)
            raise _FailedError(f"ClientError: The response could not be uploaded: {error}") from error
        self._metrics.took(*where, ResponseUploadLatency=self._now() - began)

    def _fail(self, claim: Claim, error: _FailedError) -> None:
        place = claim.request.failure_location
        if place is not None:
            self._write_failure(claim, place, error)
        message = failure_message(claim.request, claim.endpoint.name, self._hosting.region, self._now(), error.reason)
        self._end(claim, claim.settings.error_topic, message, failed=True)

    def _write_failure(self, claim: Claim, place: str, error: _FailedError) -> None:
        try:
            self._account.write(claim.role_arn, place, error.body, error.content_type, claim.settings.key)
        except AccessError as refused:
            self._metrics.count(claim.endpoint.name, claim.variant, ResponseUploadFailures=1)
            _log.warning("the failure of request %s was not written: %s", claim.request.inference_id, refused)

    def _end(self, claim: Claim, topic: str | None, message: str, *, failed: bool) -> None:
        where = (claim.endpoint.name, claim.variant)
        if topic is not None:
            try:
                self._account.publish(claim.role_arn, topic, message)
            except AccessError as refused:
                self._metrics.count(*where, NotificationFailures=1)
                _log.warning("no notification of request %s: %s", claim.request.inference_id, refused)
        self._metrics.ended(*where, self._now() - claim.request.received_at, failed=failed)

    def _now(self) -> float:
        return self._hosting.clock.now()
