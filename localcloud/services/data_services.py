"""What data flows through, and what it is read by: streams, the catalog, configurations."""

from localcloud.front.authorizer import Authorizer
from localcloud.front.permissions import Scope
from localcloud.physics.settings import PhysicsSettings
from localcloud.service import Service
from localcloud.services.catalog.glue_service import GlueService
from localcloud.services.configurations.control_service import ConfigurationService
from localcloud.services.configurations.data_service import ConfigurationDataService
from localcloud.services.configurations.deployment_service import ConfigurationDeploymentService
from localcloud.services.configurations.sessions import Sessions
from localcloud.services.configurations.store import ConfigurationStore
from localcloud.services.data_streams.data_stream import DataStreams
from localcloud.services.data_streams.kinesis_service import KinesisService
from localcloud.services.data_streams.stream_settings import StreamSettingsService
from localcloud.services.functions.log_shipper import MetricSink


def data_services(
    streams: DataStreams, settings: PhysicsSettings, authorizer: Authorizer, metrics: MetricSink, scope: Scope
) -> tuple[Service, ...]:
    """Return the services that answer for Kinesis, Glue and AppConfig."""
    store = ConfigurationStore()
    return (
        KinesisService(streams, scope, authorizer, metrics),
        StreamSettingsService(streams, scope),
        GlueService(scope.account),
        ConfigurationService(store, scope),
        ConfigurationDeploymentService(store, settings.configuration_deployment_limit_seconds),
        ConfigurationDataService(store, Sessions(), authorizer, scope),
    )
