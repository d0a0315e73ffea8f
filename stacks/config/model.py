"""The types of an environment's file: what may be written, and what it means."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from lambdas import contract
from lambdas.rollout.policy import Policy
from stacks.config.constraints import AtLeastOne, Between, Matching, Refused
from stacks.config.front_door import FrontDoor
from stacks.config.instances import InstanceType, has_gpu
from stacks.config.monitoring import ColumnName, Monitoring
from stacks.config.retraining import Retraining

_NO_SERVERLESS = Refused(
    "a serverless variant can have no second variant beside it, so it cannot be rolled out by weight",
    "remove serverless:, and declare instances",
)
_NO_SHADOW = Refused(
    "an endpoint takes a shadow variant or a second one with a weight, not both, so a shadow is a part of rollouts",
    "remove shadow:, and write rollout.strategy: shadow",
)
_NO_VOLUME_KEY = Refused(
    "instances with local NVMe (g5, g6, g6e and others) encrypt it with a key of their own and AWS may refuse another",
    "remove kms_key_id:",
)

LogRetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653]
Signatures = Literal["checked", "required"]
MetricsPeriod = Literal[10, 30, 60, 120, 180, 240, 300]
Dockerfile = Literal["Dockerfile.gpu", "Dockerfile.gpu-cuda12", "Dockerfile.cpu"]
AmiVersion = Literal[
    "al2-ami-sagemaker-inference-gpu-2",
    "al2-ami-sagemaker-inference-gpu-2-1",
    "al2-ami-sagemaker-inference-gpu-3-1",
    "al2023-ami-sagemaker-inference-gpu-4-1",
]
RelativePath = Annotated[
    str,
    Matching(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", "a path below the repository's folder", "model_containers/serving"),
]
Repository = Annotated[
    str,
    Matching(
        r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9][a-z0-9._/-]*",
        "an ECR repository without a tag",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/serving",
    ),
]


@dataclass(frozen=True)
class Image:
    """The serving container.

    Parameters
    ----------
    folder
        Build context of the image.
    dockerfile
        Which of its Dockerfiles: that for GPU instances (CUDA 13), that for GPU instances with an older driver
        (CUDA 12), or that for CPU instances.
    """

    folder: RelativePath
    dockerfile: Dockerfile


@dataclass(frozen=True)
class Fleet:
    """What an endpoint runs on. A change becomes a rollout of the live model onto the new fleet.

    Parameters
    ----------
    image
        The serving container.
    instance_type
        SageMaker instance type.
    inference_ami_version
        Driver and CUDA level of the host; GPU instance types need the one that the image is made for, CPU instance
        types have none.
    unlisted_ami
        Whether to use it although it is not confirmed here to run on this family of instances.
    min_instances
        Fewest instances.
    max_instances
        Most instances.
    target_invocations_per_instance
        Requests per minute and instance that autoscaling aims at; leave it out when min equals max.
    capture
        Whether requests and answers are kept: by SageMaker Data Capture, by the serving container itself, which writes
        them to its log, or not at all.
    capture_sampling_percent
        Share of the requests that is kept.
    capture_redacted_columns
        Columns and outputs whose values the serving container leaves out of what it keeps.
    capture_largest_bytes
        Size of a body above which the serving container does not keep a request.
    startup_timeout_seconds
        How long a container may take until it answers its health check.
    download_timeout_seconds
        How long the model may take to download.
    metrics_period_seconds
        How often SageMaker publishes the endpoint's metrics; the alarms look at the same period.
    network_isolation
        Whether the container is kept from all network calls.
    """

    refused: ClassVar[dict[str, Refused]] = {
        "serverless": _NO_SERVERLESS,
        "shadow": _NO_SHADOW,
        "kms_key_id": _NO_VOLUME_KEY,
    }

    image: Image
    instance_type: InstanceType
    min_instances: Annotated[int, Between(1, 100)]
    max_instances: Annotated[int, Between(1, 100)]
    inference_ami_version: AmiVersion | None = None
    unlisted_ami: bool = False
    target_invocations_per_instance: Annotated[int, Between(1, 1_000_000)] | None = None
    capture: Literal["sagemaker", "container", "off"] = "off"
    capture_sampling_percent: Annotated[int, Between(1, 100)] = 100
    capture_redacted_columns: tuple[ColumnName, ...] = ()
    capture_largest_bytes: Annotated[int, Between(256, 131_072)] = 16_384
    startup_timeout_seconds: Annotated[int, Between(60, 3600)] = 600
    download_timeout_seconds: Annotated[int, Between(60, 3600)] = 600
    metrics_period_seconds: MetricsPeriod = 10
    network_isolation: bool = True

    @property
    def has_gpu(self) -> bool:
        """Whether the instances have GPUs."""
        return has_gpu(self.instance_type)

    @property
    def captures(self) -> bool:
        """Whether requests and answers are kept."""
        return self.capture != "off"

    @property
    def data_capture(self) -> bool:
        """Whether SageMaker keeps them."""
        return self.capture == "sagemaker"

    @property
    def captures_itself(self) -> bool:
        """Whether the serving container keeps them."""
        return self.capture == "container"

    @property
    def capture_variables(self) -> dict[str, str]:
        """Environment variables by which the serving container captures; none when it does not."""
        if not self.captures_itself:
            return {}
        redacted = {contract.CAPTURE_REDACTED: ",".join(self.capture_redacted_columns)}
        return {
            contract.CAPTURE_SAMPLING: str(self.capture_sampling_percent),
            contract.CAPTURE_LARGEST: str(self.capture_largest_bytes),
            **(redacted if self.capture_redacted_columns else {}),
        }


@dataclass(frozen=True)
class Alarms:
    """When a slot of the endpoint counts as unhealthy, which rolls a new version in it back.

    Parameters
    ----------
    error_rate_percent
        Share of 5xx answers above which a period counts as bad.
    p99_latency_milliseconds
        99th percentile of ModelLatency above which a period counts as bad.
    min_requests
        Fewest requests in a period for its error rate and its percentile to mean anything.
    bad_periods
        How many bad periods make an alarm,
    of_periods
        out of how many.
    """

    error_rate_percent: Annotated[float, Between(0, 100)]
    p99_latency_milliseconds: Annotated[int, Between(1, 60_000)]
    min_requests: Annotated[int, Between(1, 1_000_000)] = 10
    bad_periods: Annotated[int, Between(1, 100)] = 2
    of_periods: Annotated[int, Between(1, 100)] = 3


@dataclass(frozen=True)
class Bootstrap:
    """The model that the first deploy puts live.

    Parameters
    ----------
    version
        Its version.
    folder
        Folder with the model's files.
    """

    version: Annotated[str, Matching(r"\d+\.\d+\.\d+", "a version of three numbers", "1.0.0")]
    folder: RelativePath


@dataclass(frozen=True)
class Endpoint:
    """A SageMaker endpoint, its model package group and how new versions come onto it.

    Parameters
    ----------
    name
        Name, to which the environment's is added.
    bootstrap
        The model that the first deploy puts live.
    fleet
        What it runs on.
    alarms
        When a version counts as unhealthy.
    rollout
        How a new version takes over the traffic.
    image_repositories
        ECR repositories, besides that of the serving container, whose images a model package may bring.
    monitoring
        How its traffic is watched for drift; left out, it is not.
    retraining
        When its model is trained anew; left out, it is not.
    front_door
        The API by which applications call it; left out, they call SageMaker.
    """

    name: Annotated[
        str,
        Matching(
            r"[a-z](-?[a-z0-9]){0,20}", "1 to 21 lower-case letters, digits and single hyphens, a letter first", "rain"
        ),
    ]
    bootstrap: Bootstrap
    fleet: Fleet
    alarms: Alarms
    rollout: Policy
    image_repositories: tuple[Repository, ...] = ()
    monitoring: Monitoring | None = None
    retraining: Retraining | None = None
    front_door: FrontDoor | None = None

    def full_name(self, environment: str) -> str:
        """Return the name that the endpoint has on SageMaker."""
        return contract.endpoint_name(environment, self.name)

    @property
    def has_jobs_endpoint(self) -> bool:
        """Whether its jobs are answered by an endpoint of their own."""
        jobs = self.front_door.jobs if self.front_door is not None else None
        return jobs is not None and jobs.asynchronous is not None

    @property
    def hook_functions(self) -> frozenset[str]:
        """ARNs of the functions that its rollouts ask."""
        return frozenset(hook.function for step in self.rollout.plan for hook in step.hooks)


@dataclass(frozen=True)
class Environment:
    """One environment: a deployment of everything into one account and region.

    Parameters
    ----------
    environment
        Name; that of the file.
    endpoints
        What is served.
    retain_data
        Whether tables, artefacts, keys and logs outlive `cdk destroy`, and the stacks are protected from it.
    log_retention_days
        How long logs are kept.
    capture_retention_days
        How long captured requests and answers, and labels, are kept.
    evidence_retention_days
        How long the reports of the drift monitor and what retraining worked with are kept; some rows of captured
        requests are in both.
    signatures
        Whether a model package without a signature may be rolled out (`checked`) or not (`required`). A signature that
        is wrong never passes.
    account
        AWS account; left out, that of the caller's credentials.
    region
        AWS region; left out, that of the caller's configuration.
    alert_emails
        Who is told of alarms; at least one where data is retained.
    reserved_concurrency
        Lambda concurrency set aside for each of the two functions that drive rollouts, so that a busy neighbour cannot
        keep a roll-back waiting; at most half of it is for timers. The account must keep 100 unreserved; new ones may
        have too little to reserve any.
    """

    environment: Annotated[
        str, Matching(r"[a-z][a-z0-9]{1,11}", "2 to 12 lower-case letters and digits, a letter first", "dev")
    ]
    endpoints: Annotated[tuple[Endpoint, ...], AtLeastOne()]
    retain_data: bool
    log_retention_days: LogRetentionDays = 30
    capture_retention_days: Annotated[int, Between(1, 3650)] = 30
    evidence_retention_days: Annotated[int, Between(1, 3650)] = 90
    signatures: Signatures = "checked"
    account: Annotated[str, Matching(r"\d{12}", "twelve digits", '"123456789012"')] | None = None
    region: Annotated[str, Matching(r"[a-z]{2}(-[a-z]+)+-\d", "an AWS region", "eu-west-1")] | None = None
    alert_emails: tuple[
        Annotated[str, Matching(r"[^@\s]+@[^@\s]+", "an e-mail address", "on-call@example.com")], ...
    ] = ()
    reserved_concurrency: Annotated[int, Between(4, 100)] | None = None

    @property
    def monitored(self) -> tuple[Endpoint, ...]:
        """Endpoints whose traffic is watched for drift."""
        return tuple(endpoint for endpoint in self.endpoints if endpoint.monitoring is not None)

    @property
    def retrained(self) -> tuple[Endpoint, ...]:
        """Endpoints whose models are trained anew."""
        return tuple(endpoint for endpoint in self.endpoints if endpoint.retraining is not None)

    @property
    def called(self) -> tuple[Endpoint, ...]:
        """Endpoints with a front door."""
        return tuple(endpoint for endpoint in self.endpoints if endpoint.front_door is not None)

    @property
    def has_switches(self) -> bool:
        """Whether a part of any front door can be switched off."""
        return any(each.front_door.switches for each in self.called if each.front_door is not None)

    @property
    def hook_functions(self) -> list[str]:
        """ARNs of the functions that rollouts of its endpoints ask."""
        return sorted(frozenset[str]().union(*(endpoint.hook_functions for endpoint in self.endpoints)))
