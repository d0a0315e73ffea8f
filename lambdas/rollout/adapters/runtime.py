"""Requests to one production variant."""

from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.errors import ModelAnswerError, RetryableError
from lambdas.rollout.policy import SmokeTest


class SageMakerRuntime:
    """Implements `lambdas.rollout.ports.Invoker`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("sagemaker-runtime")

    def invoke(self, name: str, slot: str, test: SmokeTest) -> None:
        """Return when the variant has answered well; raise `ModelAnswerError` when the model answers with an error."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                answer = self._client().invoke_endpoint(
                    EndpointName=name, TargetVariant=slot, ContentType=test.content_type, Body=test.body.encode()
                )
                body = answer["Body"].read()
            except ClientError as error:
                if code_of(error) != "ModelError":
                    raise
                status = error.response.get("OriginalStatusCode", "an error")
                raise ModelAnswerError(f"the model answered {status}: {_message(error)}") from error
        if answer.get("InvokedProductionVariant") != slot:
            raise RetryableError(f"{answer.get('InvokedProductionVariant')} answered in place of {slot}")
        if not body:
            raise ModelAnswerError("the model answered with nothing")


def _message(error: Exception) -> str:
    response = getattr(error, "response", {})
    return str(response.get("OriginalMessage") or response.get("Error", {}).get("Message", ""))[:300]
