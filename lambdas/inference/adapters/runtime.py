"""The endpoint, as SageMaker serves it.

Needs sagemaker:InvokeEndpoint on the endpoint; no other permission is for what is asked here.
"""

import random
import time
from collections.abc import Callable
from typing import Any

from lambdas.inference.adapters.clients import make
from lambdas.inference.adapters.refusals import of_answer, of_connection, of_haste, of_silence
from lambdas.inference.ports import InvocationError, Invoked

CONNECT_SECONDS = 1.0
_JSON = "application/json"
_MARGIN_SECONDS = 0.5
"""What an answer needs beside the model's own time."""

_LONGEST_PAUSE = 0.2

_AGAIN = frozenset({"ThrottlingException", "ServiceUnavailable", "ModelNotReadyException"})


def runtime_client(timeout_seconds: float) -> Any:
    """Make the client; it takes most of a cold start, so it is made when the function is, not when it is asked."""
    return make("sagemaker-runtime", connect=CONNECT_SECONDS, read=timeout_seconds)


class SageMakerRuntime:
    """Implements `lambdas.inference.ports.Runtime`.

    Parameters
    ----------
    endpoint
        SageMaker name of the endpoint.
    client
        Of `runtime_client`.
    timeout_seconds
        What it was made with.
    sleep, clock
        Waits; returns seconds on a clock that never jumps.
    """

    def __init__(
        self,
        endpoint: str,
        client: Any,
        timeout_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._client = client
        self._timeout = timeout_seconds
        self._needed = CONNECT_SECONDS + timeout_seconds + _MARGIN_SECONDS
        self._sleep = sleep
        self._clock = clock

    def invoke(self, body: bytes, variant: str | None, prediction_id: str, seconds: float) -> Invoked:
        """Return the endpoint's answer.

        No attempt is begun for which there may be too little time: what stands in for the answer is better than a
        function that is killed while it waits.

        One more attempt is made where the first was turned away at once, and never after one that may have been
        heard: a model that is slow is not helped by being asked twice.
        """
        ends = self._clock() + seconds
        if seconds < self._needed:
            raise of_haste(seconds)
        request = {
            "EndpointName": self._endpoint,
            "Body": body,
            "ContentType": _JSON,
            "Accept": _JSON,
            "InferenceId": prediction_id,
            **({"TargetVariant": variant} if variant is not None else {}),
        }
        try:
            return self._attempt(request)
        except _TurnedAwayError as error:
            # Those who were turned away together do not come back together.
            pause = random.uniform(0, _LONGEST_PAUSE)
            if ends - self._clock() < pause + self._needed:
                raise error.failure from error
            self._sleep(pause)
        try:
            return self._attempt(request)
        except _TurnedAwayError as error:
            raise error.failure from error

    def _attempt(self, request: dict[str, Any]) -> Invoked:
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            ConnectionClosedError,
            EndpointConnectionError,
            ReadTimeoutError,
        )

        try:
            answer = self._client.invoke_endpoint(**request)
            return Invoked(answer["Body"].read().decode(), answer.get("InvokedProductionVariant", ""))
        except ClientError as error:
            failure = of_answer(error.response, targeted="TargetVariant" in request)
            if error.response.get("Error", {}).get("Code") in _AGAIN:
                raise _TurnedAwayError(failure) from error
            raise failure from error
        except (EndpointConnectionError, ConnectionClosedError) as error:
            # Refused, or the end of a connection that was kept for too long.
            raise _TurnedAwayError(of_connection(error)) from error
        except ReadTimeoutError as error:
            raise of_silence(self._timeout) from error
        except (BotoCoreError, UnicodeDecodeError) as error:
            raise of_connection(error) from error


class _TurnedAwayError(Exception):
    """The endpoint has not begun to answer, so that it may be asked once more."""

    def __init__(self, failure: InvocationError) -> None:
        super().__init__(str(failure))
        self.failure = failure
