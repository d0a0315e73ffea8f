"""The asynchronous endpoint, as SageMaker takes requests for it.

Needs sagemaker:InvokeEndpointAsync on the endpoint. Rows are read, and answers written, by the endpoint's own role.
"""

from collections.abc import Callable
from typing import Any

from lambdas.inference.adapters.clients import Lazy
from lambdas.inference.adapters.refusals import of_answer, of_connection

_CONNECT, _READ = 1.0, 5.0
_JSON = "application/json"


class SageMakerAsyncRuntime:
    """Implements `lambdas.inference.jobs.asynchronous.Runtime`.

    Parameters
    ----------
    name
        SageMaker name of the asynchronous endpoint.
    client
        Returns SageMaker runtime's client.
    """

    def __init__(self, name: str, client: Callable[[], Any] | None = None) -> None:
        self._name = name
        self._client = client or Lazy("sagemaker-runtime", connect=_CONNECT, read=_READ)

    def invoke(self, rows: str, inference_id: str, queued_seconds: int, model_seconds: int) -> tuple[str, str]:
        """Have rows answered that lie in S3; return where the answer will lie, and where why there is none."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client().invoke_endpoint_async(
                EndpointName=self._name,
                InputLocation=rows,
                ContentType=_JSON,
                Accept=_JSON,
                InferenceId=inference_id,
                RequestTTLSeconds=queued_seconds,
                InvocationTimeoutSeconds=model_seconds,
            )
        except ClientError as error:
            raise of_answer(error.response, targeted=False) from error
        except BotoCoreError as error:
            raise of_connection(error) from error
        return answer["OutputLocation"], answer.get("FailureLocation", "")
