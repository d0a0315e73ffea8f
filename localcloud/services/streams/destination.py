"""Where a delivery stream's records go: objects in S3, written under the stream's role."""

import base64
import json
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.services.role_access import RoleAccess, RoleSession
from localcloud.services.streams.conversion import FAILED, Misfit
from localcloud.services.streams.prefixes import expanded

_log = logging.getLogger(__name__)


class DeliveryFailedError(Exception):
    """The objects could not be written now."""


@dataclass(frozen=True)
class Place:
    """What an ExtendedS3DestinationConfiguration says of where objects go.

    Parameters
    ----------
    bucket, role_arn
        The bucket's name, and the role that writes.
    prefix, error_prefix, extension
        Of the objects' keys.
    key
        Encrypts them; empty for the bucket's own.
    log_group, log_stream
        Where failures are told; empty for nowhere.
    """

    bucket: str
    role_arn: str
    prefix: str
    error_prefix: str
    extension: str
    key: str
    log_group: str
    log_stream: str


class Destination:
    """Writes batches of records.

    Parameters
    ----------
    stream
        Name of the stream, which objects are named after.
    place
        Where to.
    roles
        Opens sessions of the role.
    """

    def __init__(self, stream: str, place: Place, roles: RoleAccess) -> None:
        self._stream = stream
        self._place = place
        self._roles = roles

    def store(self, body: bytes, since: float) -> None:
        """Write an object, under the time of its first record; raise `DeliveryFailedError`."""
        self._put(expanded(self._place.prefix, since), since, body, self._place.extension)

    def store_failed(self, records: Sequence[tuple[bytes, str]], since: float, error_type: str) -> None:
        """Write records that could not be processed, and why, as Firehose writes them to its error output."""
        lines = [
            {
                "attemptsMade": 1,
                "arrivalTimestamp": int(since * 1000),
                "errorCode": error_type,
                "errorMessage": why,
                "rawData": base64.b64encode(record).decode(),
            }
            for record, why in records
        ]
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        self._put(expanded(self._place.error_prefix, since, error_type), since, body, "")

    def store_unconverted(
        self, records: Sequence[tuple[bytes, Misfit]], since: float, table: Mapping[str, Any]
    ) -> None:
        """Write records whose format could not be converted, and why, as Firehose writes them."""
        lines = [
            {
                "attemptsMade": 1,
                "arrivalTimestamp": int(since * 1000),
                "lastErrorCode": why.code,
                "lastErrorMessage": why.message,
                "attemptEndingTimestamp": int(time.time() * 1000),
                "rawData": base64.b64encode(record).decode(),
                "sequenceNumber": None,
                "subSequenceNumber": None,
                "dataCatalogTable": table,
            }
            for record, why in records
        ]
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        self._put(expanded(self._place.error_prefix, since, FAILED), since, body, "")

    def tell(self, what: str) -> None:
        """Tell the stream's log that something cannot be done now."""
        with self._roles.open(self._place.role_arn, "firehose") as session:
            self._tell(session, what)

    def _put(self, prefix: str, since: float, body: bytes, extension: str) -> None:
        name = f"{self._stream}-1-{datetime.fromtimestamp(since, UTC):%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}{extension}"
        place = self._place
        sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": place.key} if place.key else {}
        with self._roles.open(place.role_arn, "firehose") as session:
            try:
                session.client("s3").put_object(Bucket=place.bucket, Key=prefix + name, Body=body, **sealed)
            except (BotoCoreError, ClientError) as error:
                self._tell(session, str(error))
                raise DeliveryFailedError(f"{self._stream}: {error}") from error

    def _tell(self, session: RoleSession, what: str) -> None:
        place = self._place
        _log.warning("%s could not deliver: %s", self._stream, what)
        if not place.log_group:
            return
        message = json.dumps({"deliveryStreamARN": self._stream, "destination": place.bucket, "message": what})
        event: Mapping[str, Any] = {"timestamp": int(time.time() * 1000), "message": message}
        try:
            session.client("logs").put_log_events(
                logGroupName=place.log_group, logStreamName=place.log_stream, logEvents=[event]
            )
        except (BotoCoreError, ClientError) as error:
            _log.warning("%s could not tell its log: %s", self._stream, error)
