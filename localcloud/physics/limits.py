"""Where the local cloud's physics differs from AWS; the documentation shows this list."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """One difference."""

    topic: str
    here: str
    on_aws: str


LIMITS: tuple[Limit, ...] = (
    Limit(
        "Instances",
        "An instance is one process on this machine; its type is recorded, and provisioning is shortened as "
        "PhysicsSettings declares.",
        "An instance of the given type, with its own processors, memory and GPU.",
    ),
    Limit(
        "Images",
        "The ENTRYPOINT of the Dockerfile is run in its build context with the local interpreter; RUN is not "
        "executed, COPY is not applied, and base images are not pulled.",
        "The image is built, pushed to ECR and run by Docker.",
    ),
    Limit(
        "Network isolation and the execution role",
        "Recorded. Containers get no credentials, but nothing keeps them from the network.",
        "Enforced.",
    ),
    Limit(
        "UpdateEndpoint",
        "The new fleet takes all traffic at one stroke. DeploymentConfig (canary, linear, rolling) is refused.",
        "The default is the same; deployment guardrails can shift traffic in parts.",
    ),
    Limit(
        "Endpoint kinds",
        "Real-time variants with one container on instances. Serverless, asynchronous, shadow, multi-model, "
        "inference pipelines, inference components and managed instance scaling are refused by name.",
        "All of these exist.",
    ),
    Limit(
        "No container in service",
        "ServiceUnavailable (503), counted as Invocation5XXErrors and InvocationModelErrors. Whether AWS counts "
        "such requests in the same way is not documented.",
        "A 5xx of the platform.",
    ),
    Limit(
        "Broken connection or time-out of a container",
        "ModelError with status 0, counted as Invocation5XXErrors as well as InvocationModelErrors.",
        "ModelError; that it counts as Invocation5XXErrors is not documented.",
    ),
    Limit(
        "All weights 0",
        "Untargeted requests are refused with a ValidationError.",
        "Not documented.",
    ),
    Limit(
        "Utilisation metrics",
        "Not published: a process on a shared machine says nothing about an instance.",
        "CPUUtilization, MemoryUtilization, GPUUtilization and others under /aws/sagemaker/Endpoints.",
    ),
    Limit(
        "Metric storage",
        "Every sample is kept exactly for three hours, and percentiles are exact.",
        "Aggregates for up to 15 months; percentiles are close approximations.",
    ),
    Limit(
        "Metric math",
        "Arithmetic, comparison, AND, OR, IF, FILL (number, series, REPEAT), ABS, CEIL, FLOOR, SUM, MIN, MAX, AVG, "
        "DATAPOINT_COUNT, PERIOD and METRICS(); any other function is an error naming it.",
        "Many more functions, and Metrics Insights queries.",
    ),
    Limit(
        "Alarm evaluation",
        "Looks two periods further back than EvaluationPeriods for data, and evaluates at fixed moments.",
        "The evaluation range is not documented; its guide's examples have the same two periods.",
    ),
    Limit(
        "Alarm kinds",
        "Metric alarms and composite alarms without suppressors. Anomaly detection, PromQL and log alarms are refused.",
        "All of these exist.",
    ),
    Limit(
        "Autoscaling",
        "Target tracking on SageMakerVariantInvocationsPerInstance acts (3 minutes above the target, or 15 below nine "
        "tenths of it, with cooldowns). It makes no CloudWatch alarms of its own. Other metrics, step, scheduled and "
        "predictive scaling are refused.",
        "Scaling is driven by alarms that the policy creates.",
    ),
    Limit(
        "Data capture",
        "Written every few seconds. KmsKeyId is recorded; the bucket's own encryption applies.",
        "Written about once a minute, encrypted with the key.",
    ),
)
