"""The API of delivery streams."""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from localcloud.errors import AwsError
from localcloud.front.permissions import Scope
from localcloud.physics.settings import PhysicsSettings
from localcloud.service import Service, operation
from localcloud.services.accepted import ANY, OneOf, refuse_others
from localcloud.services.role_access import RoleAccess
from localcloud.services.streams.conversion import ACCEPTED as CONVERSION
from localcloud.services.streams.conversion import DEFAULT_MEGABYTES, Conversion, check_compression
from localcloud.services.streams.destination import Destination, Place
from localcloud.services.streams.prefixes import checked
from localcloud.services.streams.processing import Processing
from localcloud.services.streams.stream import Buffering, DeliveryStream

Params = Mapping[str, Any]
LARGEST_RECORD = 1024 * 1000
LARGEST_BATCH = 4 * 1024 * 1024
_SERVICE = "firehose.amazonaws.com"
_S3 = "ExtendedS3DestinationConfiguration"
_ACCEPTED: dict[str, Any] = {
    "DeliveryStreamName": ANY,
    "DeliveryStreamType": OneOf("DirectPut"),
    "DeliveryStreamEncryptionConfigurationInput": ANY,
    "Tags": ANY,
    _S3: {
        "BucketARN": ANY,
        "RoleARN": ANY,
        "Prefix": ANY,
        "ErrorOutputPrefix": ANY,
        "FileExtension": ANY,
        "CompressionFormat": OneOf("UNCOMPRESSED"),
        "BufferingHints": ANY,
        "EncryptionConfiguration": ANY,
        "ProcessingConfiguration": ANY,
        "CloudWatchLoggingOptions": ANY,
        "S3BackupMode": OneOf("Disabled"),
        "CustomTimeZone": OneOf("UTC"),
        "DataFormatConversionConfiguration": CONVERSION,
    },
}


class StreamService(Service):
    """Creates, describes and deletes delivery streams, and takes records.

    Parameters
    ----------
    scope
        Account and region.
    settings
        How long records are collected here at the most.
    roles
        Opens sessions of the streams' roles.
    may_assume
        Tells whether a role lets a service assume it.
    """

    name: ClassVar[str] = "firehose"

    def __init__(
        self, scope: Scope, settings: PhysicsSettings, roles: RoleAccess, may_assume: Callable[[str, str], bool]
    ) -> None:
        self._scope = scope
        self._settings = settings
        self._roles = roles
        self._may_assume = may_assume
        self._streams: dict[str, DeliveryStream] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """End all streams."""
        with self._lock:
            streams, self._streams = list(self._streams.values()), {}
        for stream in streams:
            stream.close()

    @operation("CreateDeliveryStream")
    def create(self, params: Params) -> dict[str, Any]:
        """Make a stream; it is active at once."""
        name, given = params["DeliveryStreamName"], params.get(_S3)
        check_compression(given or {})
        refuse_others("firehose:CreateDeliveryStream", params, _ACCEPTED)
        if not given:
            raise AwsError("InvalidArgumentException", f"{name}: one destination configuration is required")
        self._check_role(given["RoleARN"])
        conversion = self._conversion(given)
        extension = ".parquet" if conversion else ""
        place, processing = _place(given, extension), Processing.of(given.get("ProcessingConfiguration"))
        longest, megabytes = self._settings.stream_buffer_limit_seconds, DEFAULT_MEGABYTES if conversion else 5
        buffering = Buffering.of(given.get("BufferingHints"), longest, megabytes)
        arn = self._scope.arn("firehose", f"deliverystream/{name}")
        with self._lock:
            if name in self._streams:
                raise AwsError("ResourceInUseException", f"Firehose {name} under account {self._scope.account} exists")
            self._streams[name] = DeliveryStream(
                _description(name, arn, params, given),
                buffering,
                processing,
                Destination(name, place, self._roles),
                self._settings.stream_retry_seconds,
                conversion,
            )
        return {"DeliveryStreamARN": arn}

    @operation("DescribeDeliveryStream")
    def describe(self, params: Params) -> dict[str, Any]:
        """Return what is known of a stream."""
        return {"DeliveryStreamDescription": self._stream(params["DeliveryStreamName"]).described}

    @operation("ListDeliveryStreams")
    def listed(self, params: Params) -> dict[str, Any]:
        """Return the streams' names."""
        after, most = params.get("ExclusiveStartDeliveryStreamName", ""), params.get("Limit", 10)
        names = sorted(name for name in self._streams if name > after)
        return {"DeliveryStreamNames": names[:most], "HasMoreDeliveryStreams": len(names) > most}

    @operation("DeleteDeliveryStream")
    def delete(self, params: Params) -> dict[str, Any]:
        """End a stream, and forget it."""
        with self._lock:
            stream = self._streams.pop(params["DeliveryStreamName"], None)
        if stream is None:
            raise self._missing(params["DeliveryStreamName"])
        stream.close()
        return {}

    @operation("PutRecord")
    def put(self, params: Params) -> dict[str, Any]:
        """Take a record."""
        stream = self._stream(params["DeliveryStreamName"])
        stream.put(_data(params["Record"]))
        return {"RecordId": uuid.uuid4().hex, "Encrypted": _is_sealed(stream)}

    @operation("PutRecordBatch")
    def put_batch(self, params: Params) -> dict[str, Any]:
        """Take records, all of them."""
        stream = self._stream(params["DeliveryStreamName"])
        records = [_data(record) for record in params["Records"]]
        if sum(map(len, records)) > LARGEST_BATCH:
            raise AwsError("InvalidArgumentException", f"the records have more than {LARGEST_BATCH} bytes in all")
        for record in records:
            stream.put(record)
        answers = [{"RecordId": uuid.uuid4().hex} for _ in records]
        return {"FailedPutCount": 0, "Encrypted": _is_sealed(stream), "RequestResponses": answers}

    def _check_role(self, arn: str) -> None:
        if not self._may_assume(arn, _SERVICE):
            message = f"Firehose is unable to assume role {arn}. Please check the role provided."
            raise AwsError("InvalidArgumentException", message)

    def _conversion(self, given: Mapping[str, Any]) -> Conversion | None:
        conversion = Conversion.of(given, self._roles)
        if conversion is not None:
            self._check_role(conversion.schema.role_arn)
            conversion.check()
        return conversion

    def _stream(self, name: str) -> DeliveryStream:
        found = self._streams.get(name)
        if found is None:
            raise self._missing(name)
        return found

    def _missing(self, name: str) -> AwsError:
        return AwsError("ResourceNotFoundException", f"Firehose {name} under account {self._scope.account} not found.")


def _data(record: Mapping[str, Any]) -> bytes:
    data = record["Data"]
    found = data if isinstance(data, bytes) else str(data).encode()
    if len(found) > LARGEST_RECORD:
        raise AwsError("InvalidArgumentException", f"a record has {len(found)} bytes; allowed are {LARGEST_RECORD}")
    return found


def _is_sealed(stream: DeliveryStream) -> bool:
    return "DeliveryStreamEncryptionConfiguration" in stream.described


def _place(given: Mapping[str, Any], extension: str) -> Place:
    logging = given.get("CloudWatchLoggingOptions") or {}
    tells = bool(logging.get("Enabled"))
    key = ((given.get("EncryptionConfiguration") or {}).get("KMSEncryptionConfig") or {}).get("AWSKMSKeyARN", "")
    return Place(
        bucket=given["BucketARN"].rpartition(":::")[2],
        role_arn=given["RoleARN"],
        prefix=checked(given.get("Prefix", ""), of_errors=False),
        error_prefix=checked(given.get("ErrorOutputPrefix", ""), of_errors=True),
        extension=given.get("FileExtension") or extension,
        key=key,
        log_group=logging.get("LogGroupName", "") if tells else "",
        log_stream=logging.get("LogStreamName", "") if tells else "",
    )


def _description(name: str, arn: str, params: Params, given: Mapping[str, Any]) -> dict[str, Any]:
    destination = {"CompressionFormat": "UNCOMPRESSED", "S3BackupMode": "Disabled", "CustomTimeZone": "UTC", **given}
    megabytes = DEFAULT_MEGABYTES if given.get("DataFormatConversionConfiguration") else 5
    destination.setdefault("BufferingHints", {"SizeInMBs": megabytes, "IntervalInSeconds": 300})
    destination.setdefault("EncryptionConfiguration", {"NoEncryptionConfig": "NoEncryption"})
    sealed = params.get("DeliveryStreamEncryptionConfigurationInput")
    encryption = {"DeliveryStreamEncryptionConfiguration": {**sealed, "Status": "ENABLED"}} if sealed else {}
    return {
        "DeliveryStreamName": name,
        "DeliveryStreamARN": arn,
        "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamType": "DirectPut",
        "VersionId": "1",
        "CreateTimestamp": time.time(),
        "HasMoreDestinations": False,
        "Destinations": [
            {"DestinationId": "destinationId-000000000001", "ExtendedS3DestinationDescription": destination}
        ],
        **encryption,
    }
