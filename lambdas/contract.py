"""Names that the stacks, the functions and the operator's command line must agree on. Standard library only.

Whatever crosses a boundary (a template property, an environment variable, an event field, a parameter) is spelled
once, here.
"""

from hashlib import sha256

SLOTS = ("blue", "green")
"""The two production variants an endpoint alternates between."""

BOOTSTRAP_SLOT = "blue"
"""The slot that the template creates."""

FULL_WEIGHT = 100.0
"""Weights of the two slots add up to this, so that a weight reads as a percentage."""

# Environment variables of the functions.
ENV_ENVIRONMENT = "TIDEGATE_ENVIRONMENT"
ENV_TABLE = "TIDEGATE_TABLE"
ENV_TIMER_QUEUE_URL = "TIDEGATE_TIMER_QUEUE_URL"
ENV_TOPIC_ARN = "TIDEGATE_TOPIC_ARN"
ENV_MONITORING_TABLE = "TIDEGATE_MONITORING_TABLE"
ENV_RETRAINING_TABLE = "TIDEGATE_RETRAINING_TABLE"
ENV_ARTEFACT_BUCKET = "TIDEGATE_ARTEFACT_BUCKET"
ENV_INFERENCE_TABLE = "TIDEGATE_INFERENCE_TABLE"
ENV_FRONT_DOOR = "TIDEGATE_FRONT_DOOR"
ENV_BOOTSTRAP_MODEL = "TIDEGATE_BOOTSTRAP_MODEL"
ENV_BOOTSTRAP_SIGNATURE = "TIDEGATE_BOOTSTRAP_SIGNATURE"
ENV_JOBS_QUEUE_URL = "TIDEGATE_JOBS_QUEUE_URL"
ENV_JOBS_DEAD_QUEUE_URL = "TIDEGATE_JOBS_DEAD_QUEUE_URL"
ENV_JOBS_TOPIC_ARN = "TIDEGATE_JOBS_TOPIC_ARN"
ENV_OUTPUT_STREAM = "TIDEGATE_OUTPUT_STREAM"
ENV_LOAD_MACHINE = "TIDEGATE_LOAD_MACHINE"

# The rollout table: one item per endpoint, its audit trail and its approval episodes beside it.
TABLE_PARTITION_KEY = "pk"
TABLE_SORT_KEY = "sk"
TABLE_EXPIRY = "expires"
WAKE_INDEX = "by-wake"
WAKE_INDEX_PARTITION_KEY = "lane"
WAKE_INDEX_SORT_KEY = "wake"

ROUTE_ATTRIBUTE = "route"
"""Attribute of an endpoint's state item that says which versions are live, for whoever sends requests to it."""

# The monitoring table: an item for each window below this, and where the monitor of an endpoint stands.
WINDOW_PREFIX = "WINDOW#"
MONITOR_CURSOR_KEY = "CURSOR"

# Events that operators send: EventBridge source and detail types.
OPERATOR_EVENT_SOURCE = "tidegate.operator"
OPERATOR_COMMAND_DETAIL_TYPE = "Tidegate Operator Command"

# Events of the drift monitor and of retraining, and the operator's order to retrain.
MONITORING_EVENT_SOURCE = "tidegate.monitoring"
DRIFT_WINDOW_DETAIL_TYPE = "Tidegate Drift Window"
RETRAINING_EVENT_SOURCE = "tidegate.retraining"
RETRAINING_DETAIL_TYPE = "Tidegate Retraining"
RETRAIN_COMMAND_DETAIL_TYPE = "Tidegate Retrain Command"

# Events of the front door: a job that is answered, a batch that is done.
INFERENCE_EVENT_SOURCE = "tidegate.inference"
JOB_DETAIL_TYPE = "Tidegate Prediction Job"
BATCH_DETAIL_TYPE = "Tidegate Batch"
BATCH_COMMAND_DETAIL_TYPE = "Tidegate Batch Command"

# Keys of a model package's CustomerMetadataProperties.
PACKAGE_VERSION_KEY = "tidegate:version"
PACKAGE_DIGEST_KEY = "tidegate:sha256"
PACKAGE_SIGNATURE_KEY = "tidegate:signature"
PACKAGE_SIGNING_KEY_KEY = "tidegate:signing-key"
PACKAGE_PARENT_KEY = "tidegate:champion"
PACKAGE_RUN_KEY = "tidegate:retraining-run"
PACKAGE_DATA_KEY = "tidegate:data"
PACKAGE_COMMIT_KEY = "tidegate:commit"
PACKAGE_PINNED_KEY = "tidegate:pinned"

# A model package's ModelApprovalStatus.
PACKAGE_APPROVED = "Approved"
PACKAGE_REJECTED = "Rejected"
PACKAGE_PENDING = "PendingManualApproval"

# Folders of the artefact bucket; below each comes the endpoint's name.
CAPTURE_PREFIX = "capture"
CAPTURE_ERRORS_PREFIX = "capture-errors"
LABELS_PREFIX = "labels"
MONITORING_PREFIX = "monitoring"
RETRAINING_PREFIX = "retraining"
INFERENCE_PREFIX = "inference"
AUDIT_PREFIX = "audit"
AUDIT_ERRORS_PREFIX = "audit-errors"
BATCH_PREFIX = "batch"
BATCH_INPUT_PREFIX = "batch-input"

AUDIT_COLUMNS = {
    "record": "string",
    "id": "string",
    "at": "string",
    "endpoint": "string",
    "model_version": "string",
    "model_key": "string",
    "variant": "string",
    "client": "string",
    "caller": "string",
    "subject": "string",
    "answer_source": "string",
    "input_hash": "string",
    "input": "string",
    "output": "string",
    "status": "int",
    "rows": "int",
    "latency_ms": "double",
}
"""What is written down of a prediction, and the types of the columns; `input` and `output` are JSON."""

CONTAINER_CAPTURES = "container"
"""Folder of what the containers of an endpoint have captured themselves, beside those of its variants."""

# Environment variables by which the serving container is told to capture; a model package has no say in them.
CAPTURE_VARIABLES = "TIDEGATE_CAPTURE_"
CAPTURE_SAMPLING = f"{CAPTURE_VARIABLES}SAMPLING_PERCENT"
CAPTURE_LARGEST = f"{CAPTURE_VARIABLES}LARGEST_BYTES"
CAPTURE_REDACTED = f"{CAPTURE_VARIABLES}REDACTED_COLUMNS"
CAPTURE_VARIANT = f"{CAPTURE_VARIABLES}VARIANT"

MODEL_VARIABLES = ("TIDEGATE_MODEL_DIGEST", "TIDEGATE_MODEL_VERSION")
"""Environment variables of the serving container that are about one version, and false of every other."""

# The functions' own metric: how much there was that a person must put right, by environment and function.
METRIC_NAMESPACE = "Tidegate"
METRIC_DIMENSION = "environment"
METRIC_FUNCTION_DIMENSION = "service"
FAULTS_METRIC = "Faults"

# What a front door counts, by endpoint.
METRIC_ENDPOINT_DIMENSION = "endpoint"
CACHE_FAILURES_METRIC = "CacheFailures"
"""How often a cache in memory was asked and did not answer."""

# Custom resources of the templates.
SEED_RESOURCE_TYPE = "Custom::Seed"
FLEET_RESOURCE_TYPE = "Custom::Fleet"
CLEANUP_RESOURCE_TYPE = "Custom::CleanUp"
EMPTY_RESOURCE_TYPE = "Custom::Empty"
JOBS_ENDPOINT_RESOURCE_TYPE = "Custom::JobsEndpoint"

SEED_NONCE = "Nonce"
"""Attribute of a seed that no other record of a seed shares."""


def function_service(handler: str) -> str:
    """Name under which a function logs and counts; Powertools makes it a dimension of every metric."""
    return f"tidegate-{handler}"


def endpoint_name(environment: str, endpoint: str) -> str:
    """Name of the SageMaker endpoint, its model package group and its rollout item."""
    return f"{endpoint}-{environment}"


def endpoint_parameter(environment: str, name: str) -> str:
    """Name of the SSM parameter that carries an endpoint's settings (`name` is the SageMaker endpoint's)."""
    return f"/tidegate/{environment}/endpoints/{name}"


def monitoring_parameter(environment: str, name: str) -> str:
    """Name of the SSM parameter that says how an endpoint is monitored for drift."""
    return f"/tidegate/{environment}/monitoring/{name}"


def counting_job_prefix(name: str) -> str:
    """Beginning of the names of jobs that count an endpoint's windows, by which policies know them."""
    return f"drift-{name[:_LONGEST_IN_JOB_NAME].strip('-')}-"


def batch_job_prefix(name: str) -> str:
    """Beginning of the names of an endpoint's batch transforms, by which policies and rules know them."""
    return f"batch-{name[:_LONGEST_IN_JOB_NAME].strip('-')}-"


_LONGEST_IN_JOB_NAME = 24
"""SageMaker's names of jobs have 63 characters, in which the window and a digest must find room as well."""


def retraining_parameter(environment: str, name: str) -> str:
    """Name of the SSM parameter that says when and how an endpoint's model is retrained."""
    return f"/tidegate/{environment}/retraining/{name}"


def monitoring_table(environment: str) -> str:
    """Name of the table with what was found in each window of traffic."""
    return f"tidegate-{environment}-monitoring"


def retraining_table(environment: str) -> str:
    """Name of the table with the state of retraining, and its audit trail."""
    return f"tidegate-{environment}-retraining"


def inference_table(environment: str) -> str:
    """Name of the front doors' table: cached answers, jobs and batches."""
    return f"tidegate-{environment}-inference"


def front_door_function(environment: str, endpoint: str, handler: str) -> str:
    """Name of a function of an endpoint's front door (`endpoint` is its name in the environment's file)."""
    return f"tidegate-{environment}-{endpoint}-{handler}"


def jobs_endpoint(name: str) -> str:
    """Name of the asynchronous endpoint that answers an endpoint's jobs, and the beginning of all that it is made of.

    It does not begin with the endpoint's own name, under which the rollout engine makes and removes what it likes.
    """
    return f"{_OF_JOBS}{name}"


def endpoint_of_jobs(name: str) -> str:
    """Return the endpoint whose jobs an asynchronous endpoint answers."""
    return name.removeprefix(_OF_JOBS)


_OF_JOBS = "jobs-"

JOBS_VARIANT = "jobs"
"""The production variant of such an endpoint."""


def jobs_backlog_alarm(name: str) -> str:
    """Name of the alarm that starts the first instance of an endpoint's asynchronous endpoint."""
    return f"{jobs_endpoint(name)}-backlog-without-instances"


def jobs_topic(environment: str, endpoint: str) -> str:
    """Name of the topic that SageMaker tells of answered jobs (`endpoint` is its name in the environment's file)."""
    return f"tidegate-{environment}-{endpoint}-jobs"


def follower_partition(name: str) -> str:
    """Partition of the front doors' table with what the asynchronous endpoint of an endpoint stands for."""
    return f"FOLLOWER#{name}"


def jobs_answers_folder(name: str) -> str:
    """Folder of the artefact bucket in which SageMaker leaves what an asynchronous endpoint has answered."""
    return f"{INFERENCE_PREFIX}/{name}/answers"


def jobs_failures_folder(name: str) -> str:
    """Folder in which it leaves why there is no answer."""
    return f"{INFERENCE_PREFIX}/{name}/failures"


def front_door_parameter(environment: str, name: str) -> str:
    """Name of the SSM parameter that tells operators where an endpoint's front door is."""
    return f"/tidegate/{environment}/front-door/{name}"


def front_door_key(name: str, client: str) -> str:
    """Value of the API key by which a client with tokens is counted; API Gateway asks for 20 to 128 characters.

    It is no secret: it opens nothing, where API Gateway takes the key from the authorizer. The digest keeps apart what
    reads the same, such as `rain-a` of `b` and `rain` of `a-b`.
    """
    digest = sha256(f"{name}\0{client}".encode()).hexdigest()[:16]
    return f"{f'tidegate-{name}-{client}'[:_LONGEST_READABLE_KEY]}-{digest}"


_LONGEST_READABLE_KEY = 100

LIVE_ALIAS = "live"
"""Alias by which a front door calls its functions, so that a version takes over when it is ready."""


def table_name(environment: str) -> str:
    """Name of the rollout table; fixed, because the command line reads it."""
    return f"tidegate-{environment}-rollouts"


def endpoint_partition(name: str) -> str:
    """Partition of the rollout table with an endpoint's state and what belongs to it."""
    return f"ENDPOINT#{name}"


def paired_partition(name: str) -> str:
    """Partition of what was found when both versions of an endpoint answered the same requests.

    It is one of its own, because a policy can tell partitions apart and nothing finer: whoever compares answers can
    write nothing that the engine decides by but these counts.
    """
    return f"PAIRED#{name}"


def unhealthy_alarm(name: str, slot: str) -> str:
    """Name of the composite alarm whose ALARM rolls the slot back."""
    return f"{name}-{slot}-unhealthy"


def endpoint_of_alarm(alarm: str) -> str | None:
    """Return the endpoint that a slot's composite alarm is about, or None for any other alarm."""
    suffixes = [unhealthy_alarm("", slot) for slot in SLOTS]
    return next((alarm.removesuffix(suffix) for suffix in suffixes if alarm.endswith(suffix)), None)


def error_rate_alarm(name: str, slot: str) -> str:
    """Name of the slot's alarm on the share of 5xx answers."""
    return f"{name}-{slot}-5xx-rate"


def latency_alarm(name: str, slot: str) -> str:
    """Name of the slot's alarm on the 99th percentile of ModelLatency."""
    return f"{name}-{slot}-p99-latency"


def pin_key(name: str) -> str:
    """Key of the seed that holds the name of the endpoint config which the template created first."""
    return f"{name}-pin"


def other_slot(slot: str) -> str:
    """Return the slot that `slot` is not."""
    return SLOTS[1 - SLOTS.index(slot)]


def scalable_target(name: str, slot: str) -> str:
    """Application Auto Scaling's resource id of a production variant."""
    return f"endpoint/{name}/variant/{slot}"


SCALABLE_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
SCALABLE_NAMESPACE = "sagemaker"
