"""InvokeEndpoint: routing, the container's answer, and everything that can go wrong."""

import random
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from localcloud.clock import Clock
from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.capture import Exchange
from localcloud.physics.cloudwatch import MetricStore
from localcloud.physics.container_request import CUSTOM_ATTRIBUTES, container_headers
from localcloud.physics.endpoints import SageMakerService
from localcloud.physics.invocation_metrics import Invocation, InvocationMetrics
from localcloud.physics.mirroring import Aside, soon
from localcloud.physics.ports import Answer, ContainerTimeoutError, ContainerUnreachableError, Headers
from localcloud.physics.records import Instance, Request
from localcloud.physics.routing import Route, Router
from localcloud.service import Service, operation

_MOST_BYTES = 25 * 1024 * 1024
_TURNED_AWAY = Invocation(0.0, None, server_error=True, failed=True)
_NOT_SIMULATED = (
    "TargetModel", "TargetContainerHostname", "EnableExplanations", "InferenceComponentName", "SessionId",
)  # fmt: skip


@dataclass(frozen=True)
class _NoAnswer:
    """The container did not answer: SageMaker reports a status of 0."""

    message: str
    reached: bool


class RuntimeService(Service):
    """Answers InvokeEndpoint on as many threads as call it.

    Parameters
    ----------
    sagemaker
        Whose endpoints are invoked.
    clock, metrics
        Time, and CloudWatch's samples.
    chance
        Source of the routing choices.
    aside
        Runs the copies that shadow variants get, apart from the requests themselves; by default on the clock, which is
        for simulations only.
    """

    name = "sagemaker-runtime"

    def __init__(
        self,
        sagemaker: SageMakerService,
        clock: Clock,
        metrics: MetricStore,
        *,
        chance: random.Random | None = None,
        aside: Aside | None = None,
    ) -> None:
        self._hosting = sagemaker.hosting
        self._capture = sagemaker.capture
        self._clock = clock
        self._router = Router(sagemaker.hosting, chance or random.Random())
        self._metrics = InvocationMetrics(clock, metrics)
        self._aside = aside or soon(clock)

    @operation("InvokeEndpoint")
    def invoke_endpoint(self, request: Request) -> dict[str, Any]:
        """Pass a request to a container, and its answer back."""
        for name in _NOT_SIMULATED:
            if request.get(name):
                raise NotSimulatedError(f"InvokeEndpoint {name}")
        body = bytes(request.get("Body") or b"")
        if len(body) > _MOST_BYTES:
            raise AwsError("ValidationError", f"The body has {len(body)} bytes; {_MOST_BYTES} are allowed.")
        with self._router.route(request["EndpointName"], request.get("TargetVariant")) as route:
            if route.mirrored:
                self._mirror(request, body)
            return self._invoke(route, request, body)

    def _mirror(self, request: Request, body: bytes) -> None:
        """Send a copy to the shadow variant, and wait for nothing; one for which there is no room counts as a 5xx."""
        if self._aside(lambda: self._invoke_shadow(request, body)):
            return
        with self._router.shadow_route(request["EndpointName"]) as route:
            if route is not None:
                self._metrics.record(route, _TURNED_AWAY)

    def _invoke_shadow(self, request: Request, body: bytes) -> None:
        """Let the shadow variant answer a copy; its metrics and captured data stay, and its answer is thrown away."""
        with self._router.shadow_route(request["EndpointName"]) as route, suppress(AwsError):
            if route is not None:
                self._invoke(route, request, body)

    def _invoke(self, route: Route, request: Request, body: bytes) -> dict[str, Any]:
        began = self._clock.now()
        if route.instance is None:
            self._metrics.record(route, _TURNED_AWAY)
            raise AwsError(
                "ServiceUnavailable", f"No instance of variant {route.variant} is in service at the moment.", 503
            )
        answer = self._answer(route, route.instance, request, body)
        seconds = self._clock.now() - began
        if isinstance(answer, _NoAnswer):
            model_seconds = seconds if answer.reached else None
            self._metrics.record(route, Invocation(seconds, model_seconds, server_error=True, failed=True))
            raise self._model_error(route, 0, answer.message)
        status, headers, answer_body = answer
        failed = not 200 <= status < 300
        self._metrics.record(route, Invocation(seconds, seconds, 400 <= status < 500, status >= 500, failed))
        if failed:
            raise self._model_error(route, status, answer_body.decode(errors="replace"))
        self._capture.record(route.capture, _exchange(route, request, body, headers, answer_body, self._clock.now()))
        return _response(route, headers, answer_body)

    def _answer(self, route: Route, instance: Instance, request: Request, body: bytes) -> Answer | _NoAnswer:
        # A request that names its variant is somebody's test of it, or a comparison.
        by_weight = not request.get("TargetVariant")
        reason = self._hosting.faults.take_answer(route.endpoint, route.variant) if by_weight else None
        if reason is not None:
            return 500, {}, reason.encode()
        return self._ask(instance, body, container_headers(request))

    def _ask(self, instance: Instance, body: bytes, headers: Headers) -> Answer | _NoAnswer:
        timeout = self._hosting.settings.invocation_timeout_seconds
        try:
            return instance.container.invoke(body, headers, timeout)
        except ContainerTimeoutError:
            return _NoAnswer(
                "Your invocation timed out while waiting for a response from container primary. Review the latency "
                "metrics for each container in Amazon CloudWatch, resolve the issue, and try again.",
                reached=True,
            )
        except ContainerUnreachableError as error:
            return _NoAnswer(f"The connection to container primary broke: {error}", reached=False)

    def _model_error(self, route: Route, status: int, message: str) -> AwsError:
        hosting, group = self._hosting, f"/aws/sagemaker/Endpoints/{route.endpoint}"
        kind = "client" if 400 <= status < 500 else "server"
        instance = route.instance.instance_id if route.instance else ""
        stream = f"{group}:log-stream:{route.variant}/{instance}"
        return AwsError(
            "ModelError",
            f'Received {kind} error ({status}) from primary with message "{message}". See '
            f"https://{hosting.region}.console.aws.amazon.com/cloudwatch/home?region={hosting.region}"
            f"#logEventViewer:group={group} in account {hosting.account} for more information.",
            424,
            {
                "OriginalStatusCode": status,
                "OriginalMessage": message,
                "LogStreamArn": f"arn:aws:logs:{hosting.region}:{hosting.account}:log-group:{stream}",
            },
        )


def _response(route: Route, headers: Headers, body: bytes) -> dict[str, Any]:
    response: dict[str, Any] = {"Body": body, "InvokedProductionVariant": route.variant}
    if "content-type" in headers:
        response["ContentType"] = headers["content-type"]
    if CUSTOM_ATTRIBUTES.lower() in headers:  # given back only if the container sets them
        response["CustomAttributes"] = headers[CUSTOM_ATTRIBUTES.lower()]
    return response


def _exchange(route: Route, request: Request, body: bytes, headers: Headers, answer: bytes, at: float) -> Exchange:
    return Exchange(
        endpoint=route.endpoint,
        variant=route.variant,
        at=at,
        request_body=body,
        request_type=request.get("ContentType") or "application/octet-stream",
        answer_body=answer,
        answer_type=headers.get("content-type", "application/octet-stream"),
        inference_id=request.get("InferenceId"),
        custom_attributes=request.get("CustomAttributes"),
    )
