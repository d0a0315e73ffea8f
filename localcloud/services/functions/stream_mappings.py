"""Event source mappings of data streams."""

import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.credentials import Principal
from localcloud.errors import NotSimulatedError
from localcloud.front.authorizer import Authorizer
from localcloud.front.permissions import Need, Scope
from localcloud.services.data_streams.data_stream import DataStream, DataStreams
from localcloud.services.data_streams.iterators import position_of
from localcloud.services.data_streams.kinesis_service import key_need
from localcloud.services.deliveries import Deliveries, DeliveryError, Parcel, Sender
from localcloud.services.functions.function import Function
from localcloud.services.functions.log_shipper import MetricSink
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.qualified import Qualified
from localcloud.services.functions.source_kind import Params, invalid, refuse_parameters
from localcloud.services.functions.stream_batch import Policy
from localcloud.services.functions.stream_source import Places, StreamSettings, StreamSource, Surroundings

_log = logging.getLogger(__name__)
_UNSUPPORTED = (
    "FilterCriteria",
    "TumblingWindowInSeconds",
    "ScalingConfig",
    "ProvisionedPollerConfig",
    "KMSKeyArn",
    "MetricsConfig",
    "LoggingConfig",
)
_ACTIONS = ("GetRecords", "GetShardIterator", "DescribeStream", "ListShards", "DescribeStreamSummary")
_DESTINATIONS = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}
_SETTINGS = (
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "FunctionResponseTypes",
    "BisectBatchOnFunctionError",
    "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds",
    "ParallelizationFactor",
    "DestinationConfig",
    "StartingPosition",
    "StartingPositionTimestamp",
)
_LEAST_AGE = 60


class StreamMappings:
    """Checks mappings of data streams and starts their pollers.

    Parameters
    ----------
    platform
        Keeps and runs functions.
    streams
        Where records come from.
    authorizer
        Holds a function's role against what its poller does.
    deliveries
        Takes the records of batches that were given up.
    metrics
        Takes the age of what is read.
    scope
        Account and region.
    """

    parameters: tuple[str, ...] = _SETTINGS
    defaults: dict[str, Any] = {  # noqa: RUF012 - the protocol's form; it is never changed
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "BisectBatchOnFunctionError": False,
        "MaximumRetryAttempts": -1,
        "MaximumRecordAgeInSeconds": -1,
        "ParallelizationFactor": 1,
        "TumblingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
    }

    def __init__(
        self,
        platform: FunctionPlatform,
        streams: DataStreams,
        authorizer: Authorizer,
        deliveries: Deliveries,
        metrics: MetricSink,
        scope: Scope,
    ) -> None:
        self._platform = platform
        self._streams = streams
        self._authorizer = authorizer
        self._deliveries = deliveries
        self._metrics = metrics
        self._scope = scope
        self._places: dict[str, Places] = {}

    def check(self, params: Params, function: Function, arn: str) -> None:
        """Refuse what Lambda refuses, and what has no effect here."""
        refuse_parameters(params, _UNSUPPORTED)
        if "/consumer/" in arn:
            raise NotSimulatedError(f"event source {arn} (a stream's consumer)")
        stream = self._streams.find(arn)
        if stream is None or stream.arn != arn:
            raise invalid(f"Stream not found: {arn}")
        if "StartingPosition" not in params:
            raise invalid("1 validation error detected: StartingPosition is required for the event source of a stream")
        if params["StartingPosition"] == "AT_TIMESTAMP" and "StartingPositionTimestamp" not in params:
            raise invalid("StartingPositionTimestamp is required when StartingPosition is AT_TIMESTAMP")
        if 0 <= params.get("MaximumRecordAgeInSeconds", -1) < _LEAST_AGE:
            raise invalid(f"MaximumRecordAgeInSeconds must be -1 or at least {_LEAST_AGE}")
        refusal = self._refusal(function, stream)
        if refusal is not None:
            names = f"{', '.join(_ACTIONS[:-1])}, and {_ACTIONS[-1]}"
            needed = f"Please ensure the role can perform the {names} Actions on your stream in Kinesis."
            raise invalid(f"Cannot access stream {arn}. {needed} {refusal}")
        self._check_destination(_destination(params), self._platform.principal(function))

    def start(self, mapping: Params) -> StreamSource:
        """Begin to poll a stream, where the mapping says or where it had come to."""
        stream = self._streams.find(mapping["EventSourceArn"])
        if stream is None:
            raise invalid(f"Stream not found: {mapping['EventSourceArn']}")
        if mapping["UUID"] not in self._places:
            starts = {shard.shard_id: position_of(shard, mapping) for shard in stream.shards}
            self._places[mapping["UUID"]] = Places(starts)
        surroundings = self._surroundings(mapping, stream)
        return StreamSource(stream, _settings(mapping), surroundings, self._places[mapping["UUID"]])

    def forget(self, mapping: Params) -> None:
        """Drop how far a mapping had come."""
        self._places.pop(mapping["UUID"], None)

    def _surroundings(self, mapping: Params, stream: DataStream) -> Surroundings:
        name, destination = Qualified.of(mapping["FunctionArn"]).name, _destination(mapping)

        def refusal() -> str | None:
            function = self._platform.functions.get(name)
            if function is None:
                return "the function does not exist"
            if self._streams.find(stream.arn) is not stream:
                return "the stream does not exist"
            return self._refusal(function, stream)

        def role() -> str:
            function = self._platform.functions.get(name)
            return function.role if function is not None else ""

        def age(seconds: float) -> None:
            where = {"FunctionName": name}
            self._metrics("AWS/Lambda", "IteratorAge", where, seconds * 1000, "Milliseconds", time.time())

        def discard(body: str) -> None:
            if destination:
                self._discard(name, destination, body)

        return Surroundings(self._streams, self._platform.invoke, refusal, role, discard, age)

    def _discard(self, name: str, destination: str, body: str) -> None:
        function = self._platform.functions.get(name)
        if function is None:
            return
        try:
            self._deliveries.send(destination, Parcel(body), Sender(principal=self._platform.principal(function)))
        except DeliveryError as error:
            _log.warning("the record of a failed batch of %s is lost: %s", name, error)

    def _refusal(self, function: Function, stream: DataStream) -> str | None:
        principal = self._platform.principal(function)
        refusals = (self._authorizer.refusal(principal, need) for need in self._needs(stream))
        return next((refusal for refusal in refusals if refusal is not None), None)

    def _needs(self, stream: DataStream) -> Iterator[Need]:
        yield from (Need(f"kinesis:{action}", stream.arn) for action in _ACTIONS)
        if stream.key and not stream.key.startswith("alias/aws/"):
            yield key_need("kms:Decrypt", stream.key, self._scope)

    def _check_destination(self, destination: str, principal: Principal) -> None:
        if not destination:
            return
        service = destination.split(":")[2]
        if service not in _DESTINATIONS:
            raise NotSimulatedError(f"event source mapping parameter DestinationConfig with {destination}")
        need = Need(_DESTINATIONS[service], destination)
        refusal = self._authorizer.refusal(principal, need)
        if refusal is not None:
            raise invalid(f"The provided destination config DestinationConfig is invalid: {refusal}")


def _destination(mapping: Mapping[str, Any]) -> str:
    config = mapping.get("DestinationConfig") or {}
    return str((config.get("OnFailure") or {}).get("Destination") or "")


def _settings(mapping: Params) -> StreamSettings:
    policy = Policy(
        bisects=bool(mapping["BisectBatchOnFunctionError"]),
        reports="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
        retries=int(mapping["MaximumRetryAttempts"]),
        longest_age=int(mapping["MaximumRecordAgeInSeconds"]),
    )
    return StreamSettings(
        mapping["FunctionArn"],
        int(mapping["BatchSize"]),
        float(mapping["MaximumBatchingWindowInSeconds"]),
        int(mapping["ParallelizationFactor"]),
        policy,
    )
