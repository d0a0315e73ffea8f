"""The local cloud as a whole: everything is made and joined here, started and stopped in order."""

import logging
import shutil
import tempfile
import threading
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from localcloud.clients import Clients
from localcloud.clock import RealClock
from localcloud.credentials import ADMIN_ACCESS_KEY, ADMIN_SECRET, CredentialStore
from localcloud.faults import CloudFaults
from localcloud.front.authorizer import Authorizer
from localcloud.front.control import Control
from localcloud.front.dispatch import Dispatcher
from localcloud.front.moto_pins import send_log_events_to
from localcloud.front.moto_store import MotoStore
from localcloud.front.permissions import Scope
from localcloud.front.server import Front
from localcloud.front.stored_policies import StoredPolicies
from localcloud.limits import LIMITS
from localcloud.physics.autoscaling import AutoScalingService
from localcloud.physics.cloudwatch import CloudWatchService, MetricStore
from localcloud.physics.containers import ProcessContainers
from localcloud.physics.endpoints import SageMakerService
from localcloud.physics.images import ImageRegistry
from localcloud.physics.settings import PhysicsSettings
from localcloud.services.alarm_actions import AlarmActions
from localcloud.services.api_gateway.platform import ApiGateway
from localcloud.services.caches.platform import Caches
from localcloud.services.callbacks import Callbacks
from localcloud.services.data_services import data_services
from localcloud.services.data_streams.data_stream import DataStreams
from localcloud.services.deliveries import Deliveries
from localcloud.services.events.bus import EventBus
from localcloud.services.events.event_service import RULE_CHANGES, EventService
from localcloud.services.events.schedules import Schedules
from localcloud.services.functions.async_invocations import AsyncInvocations
from localcloud.services.functions.code_store import CodeStore
from localcloud.services.functions.invocation import Outcome
from localcloud.services.functions.launcher import Launcher
from localcloud.services.functions.log_shipper import LogShipper
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.services import function_services
from localcloud.services.functions.sources import event_sources
from localcloud.services.identity import IdentityService
from localcloud.services.jobs.faults import JobFaults
from localcloud.services.jobs.job_service import JobService
from localcloud.services.jobs.life import Surroundings
from localcloud.services.object_events import send_object_events
from localcloud.services.objects import Objects
from localcloud.services.pipelines.pipeline_service import PipelineService
from localcloud.services.queue_metrics import QueueMetrics
from localcloud.services.queues import Queues
from localcloud.services.registry.registry_service import RegistryService, RegistryTags
from localcloud.services.role_access import RoleAccess
from localcloud.services.runtimes import Runtimes
from localcloud.services.scaling import scaling_services
from localcloud.services.signing import SigningService
from localcloud.services.store_calls import hold_against_aws
from localcloud.services.streams.stream_service import StreamService
from localcloud.services.subscriptions.subscription import Sender
from localcloud.services.subscriptions.subscription_service import SubscriptionService
from localcloud.services.topics import Topics
from localcloud.services.workflows.permissions import Permissions
from localcloud.services.workflows.workflow_service import WorkflowService

if TYPE_CHECKING:
    from localcloud.deploy.deployer import Deployer

_log = logging.getLogger(__name__)
_only_one = threading.Lock()


# What brings work stops first, then what does it, then what it is done with.
_STOP_ORDER = (
    ("_schedules", "close"),
    ("_queue_metrics", "close"),
    ("_sources", "stop"),
    ("bus", "close"),
    ("_pipelines", "close"),
    ("workflows", "close"),
    ("jobs", "close"),
    ("apis", "close"),
    ("_async", "close"),
    ("_alarm_actions", "close"),
    ("_queues", "close"),
    ("_data_streams", "close"),
    ("functions", "close"),
    ("_cloudwatch", "stop"),
    ("_autoscaling", "stop"),
    ("_runtimes", "close"),
    ("sagemaker", "stop"),
    ("containers", "stop_all"),
    ("_subscriptions", "close"),
    ("_streams", "close"),
    ("_front", "stop"),
    ("_launcher", "stop"),
    ("_code", "close"),
    ("_caches", "close"),
    ("_logs", "stop"),
    ("_topics", "close"),
    ("clock", "stop"),
    ("_store", "reset"),
)


class LocalCloudError(RuntimeError):
    """The local cloud cannot be started."""


class LocalCloud:
    """AWS on this machine, as far as it is simulated; a context manager.

    There is one at a time in a process, because moto's state is the process's.

    Parameters
    ----------
    port
        Port to listen on, on loopback; 0 for a free one.
    work_dir
        Where everything that is written goes; by default a temporary folder that is removed in the end.
    settings
        How long things take.
    account, region
        Where everything lies.
    """

    def __init__(
        self,
        port: int = 0,
        work_dir: Path | str | None = None,
        settings: PhysicsSettings | None = None,
        account: str = "123456789012",
        region: str = "us-east-1",
    ) -> None:
        self.account = account
        self.region = region
        self.settings = settings or PhysicsSettings()
        self._port = port
        self._given_work_dir = Path(work_dir).resolve() if work_dir is not None else None
        self._clients = Clients(lambda: self.endpoint_url, region)
        self._running = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start serving; raise `LocalCloudError` if another local cloud runs in this process."""
        if not _only_one.acquire(blocking=False):
            raise LocalCloudError("another LocalCloud runs in this process, and moto's state is the process's")
        self._running = True
        try:
            self.work_dir = self._given_work_dir or Path(tempfile.mkdtemp(prefix="localcloud-"))
            self.work_dir.mkdir(parents=True, exist_ok=True)
            self._make_foundation()
            self._make_physics()
            self._make_work()
            self._make_front()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything; stopping twice is harmless."""
        if not self._running:
            return
        self._running = False
        for part, method in _STOP_ORDER:
            if part in self.__dict__:  # a start that failed has not made all of them
                self._close_quietly(getattr(self.__dict__[part], method))
        self._remove_work_dir()
        _only_one.release()

    @property
    def endpoint_url(self) -> str:
        """Return the URL that clients take as AWS_ENDPOINT_URL."""
        return self._front.url

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables that a client process needs."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": ADMIN_ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ADMIN_SECRET,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            **self._caches.trust(),
        }

    def client(self, service: str) -> Any:
        """Return a boto3 client of the administrator's."""
        return self._clients.administrators(service)

    def role_client(self, service: str, role_arn: str) -> Any:
        """Return a boto3 client under a role's credentials."""
        role = self._stored.role(role_arn)
        minted = self.credentials.mint(role_arn, role.role_id if role else "", "localcloud")
        return self._clients.under(minted, service)

    @cached_property
    def deployer(self) -> "Deployer":
        """Return what deploys cloud assemblies here."""
        # Imported late: a cloud that nothing is deployed to needs none of it.
        from localcloud.deploy.deployer import Deployer

        deployer = Deployer(
            self.client, self.images, account=self.account, region=self.region, callback_url=self._callback_url
        )
        self._dispatcher.own([deployer.service()])
        return deployer

    def status(self) -> dict[str, Any]:
        """Return what runs, as JSON can carry it."""
        return {
            "account": self.account,
            "region": self.region,
            "endpoint_url": self.endpoint_url,
            "work_dir": str(self.work_dir),
            "functions": self.functions.workers(),
            "jobs": self.jobs.running(),
            "endpoints": [e["EndpointName"] for e in self.client("sagemaker").list_endpoints()["Endpoints"]],
            "apis": [
                {"name": name, "id": api_id, "stage": stage, "url": self.api_url(api_id, stage)}
                for api_id, name, stage in self.apis.stages()
            ],
            "stacks": self.deployer.stacks() if "deployer" in self.__dict__ else {},
        }

    def api_url(self, api_id: str, stage: str) -> str:
        """Return where a stage of a REST API is served; paths are appended to it."""
        return self.endpoint_url + self.apis.path(api_id, stage)

    def limits(self) -> dict[str, Any]:
        """Return what this cloud answers, where it differs from AWS, and what takes less time here."""
        return {
            "operations": self._dispatcher.operations(),
            "differences": [vars(limit) for limit in LIMITS],
            "durations": [vars(duration) for duration in self.settings.declared()],
        }

    def _make_foundation(self) -> None:
        """Make the store, identities, queues and functions."""
        self.clock = RealClock()
        self.clock.start()
        scope = Scope(self.account, self.region)
        self.credentials = CredentialStore(self.account)
        self._store = MotoStore(self.account)
        self._stored = StoredPolicies(self.account, self.region)
        self.authorizer = Authorizer(self._stored, self._function_policy, scope)
        self.callbacks = Callbacks(lambda: self.endpoint_url)
        self.metrics = MetricStore(self.clock)
        self._queues = Queues(self._store, self.account, self.region)
        self._logs = LogShipper(self._store, scope, self.authorizer.refusal, self.metrics.put)
        folder = self.work_dir / "caches"
        self._caches = Caches(folder, self.credentials, self.authorizer, self.clock, self.settings, scope)
        folder, trust = self.work_dir / "functions", self._caches.trust
        self._launcher = Launcher(folder, lambda: self.endpoint_url, self.region, self.credentials, self._logs, trust)
        self.functions = FunctionPlatform(self._launcher.start, self.metrics.put, self.account, self.region)
        self._async = AsyncInvocations(self.functions, self.clock)
        self._topics = Topics(self._store, self.account, self.region, self.authorizer, self._queues, self._invoke_later)
        deliveries = Deliveries(self.authorizer, self._queues, self._topics, self._invoke_later)
        self._deliveries, self._data_streams = deliveries, DataStreams()
        self._async.deliveries = deliveries
        self.bus = EventBus(self._store, self.clock, self.account, self.region, deliveries, self.metrics.put)
        send_object_events(self.account, self.bus.emit)
        self._alarm_actions = AlarmActions(deliveries, self.region)
        self._schedules = Schedules(self.clock, self.bus, self.account, self.region)
        self._queue_metrics = QueueMetrics(self._queues, self.clock, self.metrics.put)

    def _make_physics(self) -> None:
        """Make SageMaker, CloudWatch and autoscaling."""
        where = {"account": self.account, "region": self.region}
        self.images = ImageRegistry()
        self._objects = Objects(self._store, self.account)
        self.containers = ProcessContainers(
            self.images, self.work_dir / "containers", logs=self._logs.write, settings=self.settings
        )
        self._autoscaling = AutoScalingService(self.clock, **where, metrics=self.metrics, settings=self.settings)
        self._alarm_actions.policies = self._autoscaling
        self._cloudwatch = CloudWatchService(
            self.clock, self.metrics, **where, emit=self.bus.emit, act=self._alarm_actions, settings=self.settings
        )
        self.sagemaker = SageMakerService(
            self.clock,
            self.settings,
            **where,
            emit=self.bus.emit,
            metrics=self.metrics,
            objects=self._objects,
            containers=self.containers,
            autoscaling=self._autoscaling,
        )
        self._roles = RoleAccess(self.credentials, self._stored.role, lambda: self.endpoint_url, self.region)
        self._runtimes = Runtimes(self.sagemaker, self.clock, self.metrics, self._roles)

    def _make_work(self) -> None:
        """Make what works under a role: jobs, pipelines, delivery streams, subscriptions to logs, and workflows."""
        where = {"account": self.account, "region": self.region}
        self.jobs = JobService(self._job_surroundings, **where, emit=self.bus.emit, tags=self.sagemaker.hosting.tags)
        self._pipelines = PipelineService(
            self.jobs,
            self._roles,
            self.clock,
            **where,
            emit=self.bus.emit,
            fetch=self._objects.get,
            tags=self.sagemaker.hosting.tags,
        )
        scope, may_assume = Scope(self.account, self.region), self.authorizer.may_assume
        self._streams = StreamService(scope, self.settings, self._roles, may_assume)
        sender, retry = Sender(self.account, self._roles), self.settings.stream_retry_seconds
        self._subscriptions = SubscriptionService(scope, sender, self._logs.has_group, may_assume, retry)
        send_log_events_to(self._subscriptions.take)
        permissions = Permissions(self.authorizer, self._roles, scope)
        pause = self.settings.workflow_retry_limit_seconds
        self.workflows = WorkflowService(self.jobs, self._roles, permissions, self.clock, **where, longest_pause=pause)
        self.faults = CloudFaults(self.bus.faults, self.sagemaker.faults, self.jobs.faults, self._caches.faults)

    def _job_surroundings(self, faults: JobFaults) -> Surroundings:
        work_dir, model = self.work_dir / "jobs", self.sagemaker.model
        return Surroundings(self.clock, self.settings, self.images, self._roles, self._logs, work_dir, faults, model)

    def _make_front(self) -> None:
        """Make the services' API and begin to serve."""
        self._dispatcher = Dispatcher(self._store, self.credentials, self.authorizer, self.region)
        registry = RegistryService(self.account, self.region, self.bus.emit)
        self.sagemaker.model_packages = lambda name: registry.describe_package({"ModelPackageName": name})
        scope, put = Scope(self.account, self.region), self.metrics.put
        streams, deliveries = self._data_streams, self._deliveries
        self._sources = event_sources(self.functions, self._queues, streams, self.authorizer, deliveries, put, scope)
        self.apis = ApiGateway(scope, self.authorizer, self.credentials, self._invoke, put, self._logs.ship)
        self._code = CodeStore(self.work_dir / "functions" / "code", self._objects.get)
        may_assume = partial(self.authorizer.may_assume, service="lambda.amazonaws.com")
        self._dispatcher.own(
            [
                self.sagemaker,
                registry,
                self.jobs,
                self._pipelines,
                self.workflows,
                self._streams,
                self._subscriptions,
                RegistryTags(registry, self.sagemaker.operations()),
                *self._runtimes.services,
                SigningService(self._store, self.account, self.region),
                self._cloudwatch,
                *scaling_services(self._autoscaling, self.functions, self.metrics, self.clock),
                IdentityService(self.credentials, self.authorizer, self._stored.role),
                EventService(self.bus, self.clock, self.account, self.region),
                *function_services(self.functions, self._async, self._code, may_assume),
                self._sources,
                *data_services(streams, self.settings, self.authorizer, put, scope),
                *self.apis.services(),
                *self._caches.services(),
            ]
        )
        hold_against_aws(self._dispatcher, self._store, self._queues, self.authorizer, scope)
        self._store.after(RULE_CHANGES, self._schedules.refresh)
        reports = {"health": lambda: {"status": "ok"}, "status": self.status, "limits": self.limits}
        self._front = Front(self._dispatcher, Control(self.callbacks, reports), self.apis.gateway.answer, self._port)
        self._front.start()

    def _function_policy(self, arn: str) -> str | None:
        return self.functions.policy_document(arn)

    def _invoke(self, arn: str, payload: bytes) -> Outcome:
        return self.functions.invoke(arn, payload)[0]

    def _invoke_later(self, arn: str, payload: bytes) -> None:
        self._async.accept(arn, payload)

    def _callback_url(self, token: str) -> tuple[str, Any]:
        callback = self.callbacks.new(token)
        return callback.url, callback.wait

    def _remove_work_dir(self) -> None:
        if self._given_work_dir is None and "work_dir" in self.__dict__:
            shutil.rmtree(self.work_dir, ignore_errors=True)

    @staticmethod
    def _close_quietly(closing: Any) -> None:
        try:
            closing()
        except Exception:  # the rest must be stopped all the same
            _log.exception("%s failed while the local cloud stopped", closing)
