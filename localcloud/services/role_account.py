"""S3 and SNS under a role, for asynchronous inference: every policy has its say, as for any other client."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.physics.ports import AccessError
from localcloud.services.role_access import RoleAccess, RoleSession

_SESSION = "SageMaker-AsyncInference"


class RoleAccounts:
    """Opens a session of a role for each call, for its policies change; see `localcloud.physics.ports.RoleAccount`.

    Parameters
    ----------
    roles
        Opens sessions of roles.
    """

    def __init__(self, roles: RoleAccess) -> None:
        self._roles = roles

    def read(self, role_arn: str, uri: str) -> bytes:
        """Return an object."""
        bucket, key = _split(uri)
        with self._as(role_arn) as session:
            content: bytes = session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def write(self, role_arn: str, uri: str, body: bytes, content_type: str, key: str | None) -> None:
        """Write an object, under a KMS key where one is given."""
        bucket, name = _split(uri)
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
        with self._as(role_arn) as session:
            session.client("s3").put_object(Bucket=bucket, Key=name, Body=body, ContentType=content_type, **encryption)

    def publish(self, role_arn: str, topic_arn: str, message: str) -> None:
        """Publish to a topic."""
        with self._as(role_arn) as session:
            session.client("sns").publish(TopicArn=topic_arn, Message=message)

    @contextmanager
    def _as(self, role_arn: str) -> Iterator[RoleSession]:
        try:
            with self._roles.open(role_arn, _SESSION) as session:
                yield session
        except ClientError as error:
            raise AccessError(_told(error)) from error
        except BotoCoreError as error:
            raise AccessError(str(error)) from error


def _told(error: ClientError) -> str:
    told = error.response["Error"]
    return f"{told.get('Code')} ({error.operation_name}): {told.get('Message')}"


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise AccessError(f"{uri} is not an S3 URI such as s3://bucket/key")
    return bucket, key
