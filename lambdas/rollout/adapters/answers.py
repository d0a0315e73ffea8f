"""What comparing answers needs of AWS: captured requests in S3, one variant's answers, and items in the table."""

import os
from typing import Any

from lambdas import contract
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.answers.captures import Exchange, Reply
from lambdas.rollout.answers.comparing import ANSWERED, UNSEEN, Failed, Refused, Unfit
from lambdas.rollout.errors import MissingError, PermanentError, RetryableError
from lambdas.rollout.judge.counts import Tally

MOST_BYTES = 8 * 1024 * 1024
"""Of an object; a sample of requests is looked for in its beginning."""

_NO_RANGE = "InvalidRange"
_NO_OBJECT = frozenset({"NoSuchKey", "NoSuchBucket"})
_CALLERS_FAULT = range(400, 500)
_NO_TIME_OR_ROOM = frozenset({408, 429})


class S3Captures:
    """Implements `lambdas.rollout.answers.comparing.Captures`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("s3")

    def read(self, bucket: str, key: str) -> tuple[bytes, bool]:
        """Return the beginning of an object, and whether that is all of it."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                answer = self._client().get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{MOST_BYTES - 1}")
                content: bytes = answer["Body"].read()
            except ClientError as error:
                if code_of(error) == _NO_RANGE:  # it is empty
                    return b"", True
                if code_of(error) in _NO_OBJECT:
                    raise MissingError(f"s3://{bucket}/{key} is gone") from error
                raise
        return content, len(content) < MOST_BYTES


class VariantAnswers:
    """Implements `lambdas.rollout.answers.comparing.Asking`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("sagemaker-runtime")

    def ask(self, name: str, slot: str, exchange: Exchange) -> Reply | Refused | Failed | Unfit:
        """Return what the variant answers; it is asked for the type of answer that the live one gave.

        Of an error no more than its name is told, for its text may quote what was captured.
        """
        try:
            answer, body = self._invoke(name, slot, exchange)
        except _NoAnswerError as error:
            return error.outcome
        except RetryableError as error:
            return Failed(_named(error), ANSWERED if _was_sent(error) else UNSEEN)
        except (PermanentError, ValueError) as error:
            if not _is_of_request(error):
                raise
            return Unfit(_named(error))
        if answer.get("InvokedProductionVariant") != slot:
            return Failed(f"{answer.get('InvokedProductionVariant')} answered in place of {slot}")
        return Reply(str(answer.get("ContentType", "")), body)

    def _invoke(self, name: str, slot: str, exchange: Exchange) -> tuple[dict[str, Any], bytes]:
        from botocore.exceptions import ClientError

        more = {"CustomAttributes": exchange.attributes} if exchange.attributes else {}
        with translated():
            try:
                answer = self._client().invoke_endpoint(
                    EndpointName=name,
                    TargetVariant=slot,
                    ContentType=exchange.content_type,
                    Accept=exchange.live.content_type,
                    Body=exchange.body,
                    **more,
                )
                return answer, answer["Body"].read()
            except ClientError as error:
                if code_of(error) == "ModelError":
                    raise _NoAnswerError(_of_model(error)) from error
                if code_of(error) == "ValidationError":  # of the request, or of a variant that is gone
                    raise _NoAnswerError(Failed(code_of(error))) from error
                raise


class _NoAnswerError(PermanentError):
    """A request got no answer, for a reason that may lie in this very request."""

    def __init__(self, outcome: Refused | Failed | Unfit) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


def _of_model(error: Any) -> Refused | Failed:
    status = int(error.response.get("OriginalStatusCode") or 0)
    reason = f"the model answered {status or 'nothing'}"
    if status not in _CALLERS_FAULT:
        return Failed(reason, Tally(1, 1))
    return Failed(reason, ANSWERED) if status in _NO_TIME_OR_ROOM else Refused(reason)


def _is_of_request(error: Exception) -> bool:
    """Return whether a request was never sent for what is in it."""
    from botocore.exceptions import BotoCoreError

    return isinstance(error, ValueError) or isinstance(error.__cause__, BotoCoreError)


def _named(error: Exception) -> str:
    cause = error.__cause__
    return (code_of(cause) if isinstance(cause, Exception) else "") or type(cause or error).__name__


def _was_sent(error: Exception) -> bool:
    """Return whether the variant got the request and only its answer did not come in time."""
    from botocore.exceptions import ReadTimeoutError

    return isinstance(error.__cause__, ReadTimeoutError)


class PairedItems:
    """Implements `lambdas.rollout.answers.comparing.Findings`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("dynamodb")

    def has(self, key: dict[str, str]) -> bool:
        """Return whether there is an item under a key."""
        with translated():
            answer = self._client().get_item(
                TableName=_table(), Key=_wire(key), ProjectionExpression=contract.TABLE_PARTITION_KEY
            )
        return "Item" in answer

    def put_new(self, item: dict[str, Any]) -> bool:
        """Write an item unless that of another file is under its key; return whether this file's is there now."""
        from botocore.exceptions import ClientError

        condition = f"attribute_not_exists({contract.TABLE_PARTITION_KEY})"
        with translated():
            try:
                self._client().put_item(TableName=_table(), Item=_wire(item), ConditionExpression=condition)
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                return self._is_of(item)  # this very call may have been made twice
        return True

    def _is_of(self, item: dict[str, Any]) -> bool:
        key = {name: item[name] for name in (contract.TABLE_PARTITION_KEY, contract.TABLE_SORT_KEY)}
        with translated():
            answer = self._client().get_item(TableName=_table(), Key=_wire(key), ConsistentRead=True)
        return "Item" in answer and answer["Item"].get("key") == _wire(item).get("key")


def _table() -> str:
    return os.environ[contract.ENV_TABLE]


def _wire(item: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return texts, numbers, and lists and maps of them, as DynamoDB takes them."""
    return {name: _value(value) for name, value in item.items()}


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, dict):
        return {"M": _wire(value)}
    return {"L": [_value(each) for each in value]} if isinstance(value, list) else {"N": repr(value)}
