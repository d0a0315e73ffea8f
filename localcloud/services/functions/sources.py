"""All kinds of event sources."""

from localcloud.front.authorizer import Authorizer
from localcloud.front.permissions import Scope
from localcloud.services.data_streams.data_stream import DataStreams
from localcloud.services.deliveries import Deliveries
from localcloud.services.functions.event_source_service import EventSourceService
from localcloud.services.functions.log_shipper import MetricSink
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.queue_mappings import QueueMappings
from localcloud.services.functions.source_kind import SourceKind
from localcloud.services.functions.stream_mappings import StreamMappings
from localcloud.services.queues import Queues


def event_sources(
    platform: FunctionPlatform,
    queues: Queues,
    streams: DataStreams,
    authorizer: Authorizer,
    deliveries: Deliveries,
    metrics: MetricSink,
    scope: Scope,
) -> EventSourceService:
    """Return the service that maps queues and data streams to functions."""
    kinds: dict[str, SourceKind] = {
        "sqs": QueueMappings(platform, queues, authorizer),
        "kinesis": StreamMappings(platform, streams, authorizer, deliveries, metrics, scope),
    }
    return EventSourceService(platform, kinds)
