"""Where the local cloud differs from AWS; the documentation and ``/_localcloud/limits`` show this list."""

from localcloud.deploy.limits import LIMITS as DEPLOY_LIMITS
from localcloud.physics.limits import LIMITS as PHYSICS_LIMITS
from localcloud.physics.limits import Limit
from localcloud.services.api_gateway.limits import LIMITS as API_LIMITS
from localcloud.services.caches.limits import LIMITS as CACHE_LIMITS
from localcloud.services.catalog.limits import LIMITS as CATALOG_LIMITS
from localcloud.services.configurations.limits import LIMITS as CONFIGURATION_LIMITS
from localcloud.services.data_streams.limits import LIMITS as DATA_STREAM_LIMITS
from localcloud.services.functions.async_invocations import RETRY_SECONDS
from localcloud.services.functions.pool import UNRESERVED_CONCURRENCY, UNRESERVED_WAIT_SECONDS
from localcloud.services.jobs.limits import LIMITS as JOB_LIMITS
from localcloud.services.pipelines.limits import LIMITS as PIPELINE_LIMITS
from localcloud.services.streams.limits import LIMITS as STREAM_LIMITS
from localcloud.services.workflows.limits import LIMITS as WORKFLOW_LIMITS

FRONT_LIMITS: tuple[Limit, ...] = (
    Limit(
        "Authentication",
        "Signatures of API calls are not verified and plain HTTP counts as a secure transport: the cloud listens on "
        "loopback only. "
        "Every access key but those minted here is the administrator's.",
        "Every request is verified.",
    ),
    Limit(
        "AWS CLI version 1 and SQS",
        "`aws sqs` replaces AWS_ENDPOINT_URL by SQS's old address: give it --endpoint-url. Other commands need the "
        "variable only.",
        "Not concerned.",
    ),
    Limit(
        "Authorisation",
        "Role credentials are held against identity, resource and key policies, boundaries and PassRole, for the "
        "operations in the permission tables; any other operation under a role is an error that names it, and so are a "
        "condition key that is not known here (tag keys among others) and a policy variable without a value in a "
        "statement that covers what is asked. CreateEndpointConfig is asked for once for each model, as "
        "sagemaker:ModelArn. Of the permissions that Application Auto Scaling asks its callers for, "
        "sagemaker:DescribeEndpointConfig is not checked. Organisations' policies and session policies do not exist; "
        "AWS's own managed policies are those that moto brings.",
        "All of these are evaluated.",
    ),
    Limit(
        "Lambda runtimes",
        "Every python3.x function runs on the interpreter that runs the cloud, in a process of its own that sees its "
        "package and the runtime's modules only. Other runtimes, layers, container images and (but in templates) VPCs "
        "are refused by name.",
        "Each runtime is its own.",
    ),
    Limit(
        "Lambda memory, processors and tracing",
        "MemorySize, Architectures, EphemeralStorage, TracingConfig, KMSKeyArn and RuntimeManagementConfig are "
        "recorded and have no effect.",
        "They do.",
    ),
    Limit(
        "Lambda file system",
        "A function's package is read-only by its files' modes, which do not bind a cloud that root runs. Other "
        "places are as writable as they are for whoever runs the cloud; TMPDIR is shared by all functions.",
        "Only /tmp is writable, and each execution environment has its own.",
    ),
    Limit(
        "Lambda concurrency",
        f"{UNRESERVED_CONCURRENCY} invocations of a function at a time, all its versions together, unless it reserves "
        f"another number; with more than {UNRESERVED_CONCURRENCY} provisioned, as many as those. What is provisioned "
        "is taken from that number, whether it is in use or not. Where nothing is reserved, one more waits "
        f"{UNRESERVED_WAIT_SECONDS:g} s for a place before it is refused. A start may take 60 s.",
        "1000 for the account, from which provisioned concurrency is taken; a start may take 10 s.",
    ),
    Limit(
        "Lambda versions and aliases",
        "The version after a published one that did not change is that one. Weights of an alias are drawn for each "
        "invocation; those of an alias with provisioned concurrency are refused. Publishing elsewhere (PublishTo), "
        "SnapStart and code signing are refused by name. That roles and dead-letter queues of an alias's two versions "
        "must be the same is not checked.",
        "The same, and they must be.",
    ),
    Limit(
        "Lambda provisioned concurrency",
        "Each is a process whose initialisation has run; one that ends is replaced, and three failures to start in a "
        "row make the configuration FAILED. Allocated counts processes that were started, Available those that are "
        "initialised, busy ones among them. Inferred, for want of documentation: while an alias moves, the old version "
        "gets all its invocations (as a further version of weight 1) until the new one's workers are ready, and goes "
        "on getting them if those fail to start; the alias can then be moved again, back or on. What a version has "
        "provisioned serves its aliases too; what an alias has serves invocations through that alias only.",
        "Workers are allocated at up to 6000 a minute and recycled at times; the definite rules for traffic while an "
        "alias moves are not documented, and an alias whose new version does not start needs its weights cleared by "
        "hand first.",
    ),
    Limit(
        "Lambda metrics",
        "Invocations, Errors, Duration and Throttles by FunctionName, and by FunctionName and Resource; the "
        "ProvisionedConcurrency metrics by FunctionName and Resource, once for each invocation that meets provisioned "
        "concurrency, at its start.",
        "More metrics, such as ConcurrentExecutions, and more dimensions, such as ExecutedVersion.",
    ),
    Limit(
        "Lambda asynchronous retries",
        f"After {RETRY_SECONDS[0]:g} s and {RETRY_SECONDS[1]:g} s.",
        "After 1 and 2 minutes.",
    ),
    Limit(
        "SSM parameters",
        "A parameter that is put without a Tier keeps the one it has, or is a Standard one; parameter policies and the "
        "number of parameters have no effect.",
        "An account can set another default tier; policies expire parameters.",
    ),
    Limit(
        "EventBridge",
        "Targets are functions, queues and topics. Deliveries fail and are retried with growing pauses from 0.5 s. "
        "Archives, pipes, schedulers and API destinations are refused by name.",
        "More kinds of targets, longer pauses.",
    ),
    Limit(
        "S3 events",
        "Buckets whose NotificationConfiguration asks for it send Object Created to EventBridge, within milliseconds; "
        "a rule that names another event of S3 is refused by name.",
        "Deletions, restores, changes of tags and more are sent as well, usually within seconds.",
    ),
    Limit(
        "SNS",
        "Delivers to queues and functions; e-mail and SMS subscriptions are kept and get nothing.",
        "Delivers to all.",
    ),
    Limit(
        "SQS policies",
        "Refused are more than 20 statements, more than 8,192 bytes as they were sent, and equal Sids. The latter is "
        "inferred from SQS's guide, which demands that each is unique.",
        "Principals, conditions and actions are limited as well.",
    ),
    Limit(
        "SQS metrics",
        "Numbers of messages are published every 10 s.",
        "Every minute.",
    ),
    Limit(
        "Log retention and S3 lifecycle",
        "RetentionInDays of log groups and lifecycle rules of buckets are kept and shown, and never applied: nothing "
        "expires.",
        "Log events and objects are removed when they are due.",
    ),
    Limit(
        "Log group keys",
        "A new log group's key must admit CloudWatch Logs; another key for a log group that exists (AssociateKmsKey) "
        "is refused by name. A disabled key is not told from an enabled one.",
        "Keys can be changed, and a disabled one is refused.",
    ),
    Limit(
        "Signing keys",
        "RSA and the NIST curves sign and verify, RAW or DIGEST; ML-DSA, HMAC, SM2 and grants are refused by name.",
        "All of these exist.",
    ),
    Limit(
        "Encryption",
        "Keys are used for permission checks; what is stored is stored in plain.",
        "What is stored is encrypted.",
    ),
)

LIMITS: tuple[Limit, ...] = (
    *FRONT_LIMITS,
    *DEPLOY_LIMITS,
    *PHYSICS_LIMITS,
    *JOB_LIMITS,
    *PIPELINE_LIMITS,
    *STREAM_LIMITS,
    *WORKFLOW_LIMITS,
    *DATA_STREAM_LIMITS,
    *CATALOG_LIMITS,
    *CONFIGURATION_LIMITS,
    *API_LIMITS,
    *CACHE_LIMITS,
)
"""All differences that are known."""
