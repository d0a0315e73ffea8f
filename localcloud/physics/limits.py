"""Where the local cloud's physics differs from AWS; the documentation shows this list."""

from dataclasses import dataclass

from localcloud.physics.async_dispatch import MOST_ATTEMPTS
from localcloud.physics.async_settings import UNSET_CONCURRENCY
from localcloud.physics.mirroring import MOST_COPIES


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
        "Real-time and asynchronous variants with one container on instances. Serverless, multi-model, inference "
        "pipelines, inference components and managed instance scaling are refused by name.",
        "All of these exist.",
    ),
    Limit(
        "Asynchronous endpoints",
        "One production variant; shadow variants and data capture beside AsyncInferenceConfig, a configuration without "
        "S3OutputPath, answers within notifications (IncludeInferenceResponseIn), and of InvokeEndpointAsync Body, "
        "Filename, S3OutputPathExtension and inputs that are not s3:// are refused by name. Where "
        f"MaxConcurrentInvocationsPerInstance is not given, it is {UNSET_CONCURRENCY}. There is no data-log stream.",
        "Which of these go with which is partly undocumented; SageMaker chooses a concurrency, and logs what it does "
        "with each request.",
    ),
    Limit(
        "Asynchronous requests",
        f"Inferred, for want of documentation: an answer of 4xx or 5xx fails its request at once; one whose container "
        f"breaks off is tried again, {MOST_ATTEMPTS} times in all; where there is no answer of the model, the reason "
        "is what is written to the failure path; a notification that cannot be sent is counted and lost, a test "
        "notification only logged, and one topic for answers and failures gets one; an update keeps the queue, and "
        "instances that it replaces have the usual time to end what they do.",
        "Documented are the queue, the times, the places and the form of notifications; requests of an endpoint that "
        "is deleted are lost.",
    ),
    Limit(
        "Asynchronous metrics",
        "The metrics of a queue are published for each minute at its end, with zeroes while it is empty. Without "
        "instances, ApproximateBacklogSizePerInstance is the whole backlog.",
        "The same metrics; when exactly, and what they are without instances, is not documented, but target tracking "
        "scales up from zero once the backlog exceeds its value.",
    ),
    Limit(
        "UpdateEndpoint without instances",
        "Inferred: the new fleet has InitialInstanceCount instances, or none where DesiredInstanceCount is retained; "
        "then a container that does not work is found at the next scaling out.",
        "Not documented.",
    ),
    Limit(
        "Shadow variants",
        "Inferred, for want of documentation: the share of requests that a shadow gets copies of is its weight over "
        "the production variant's, and at most all of them; requests with a TargetVariant are copied too, and so are "
        "those that the production variant fails at; UpdateEndpointWeightsAndCapacities takes a shadow like any "
        "variant; RetainAllVariantProperties keeps what the variant of a name has even where a shadow becomes a "
        "production variant; a shadow cannot be targeted or be a scalable target; endpoint events do not list it.",
        "Documented are: one shadow of one production variant at most, a percentage of the requests copied, answers "
        "thrown away, metrics and captured data under the shadow's own name.",
    ),
    Limit(
        "Copies for a shadow variant",
        f"At most {MOST_COPIES} at a time; a copy beyond them counts as an Invocation5XXErrors of the shadow.",
        "As many as its instances bear.",
    ),
    Limit(
        "Inference experiments",
        "Refused by name: a shadow comes and goes by endpoint configurations only.",
        "CreateInferenceExperiment schedules shadow tests.",
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
        "Every sample is kept exactly, by the second for three hours and by the minute for 15 days, and percentiles "
        "and trimmed counts are exact. Of the statistics between bounds there are TC, PR, TM and TS of values, not of "
        "percentages; without a value in between TC, PR and TS are 0.",
        "Aggregates, below a minute for three hours, of minutes for 15 days, and coarser ones for up to 15 months; "
        "percentiles are close approximations, and trimmed counts interpolated ones that may be fractions. What they "
        "are without a value in between is not documented.",
    ),
    Limit(
        "Pages of GetMetricData",
        "MaxDatapoints data points, filled query by query; a query of which more is to come is PartialData.",
        "How data points are spread over pages is not documented.",
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
        "Variants of endpoints and provisioned concurrency of functions. Target tracking on "
        "SageMakerVariantInvocationsPerInstance, (averages of) LambdaProvisionedConcurrencyUtilization and customised "
        "metrics acts (3 minutes above the target, or 15 below nine tenths of it, with cooldowns); minutes without "
        "samples say nothing. It makes no CloudWatch alarms of its own. Step scaling acts when an alarm names its "
        "policy, and every minute while the alarm lasts; during a cooldown nothing more is added, unless something was "
        "taken away since; the policy does not show its alarms. Scheduled actions act at their time; cron fields L, W "
        "and # are refused. Other predefined metrics, metric math in policies and predictive scaling are refused.",
        "Target tracking is driven by alarms that the policy creates; during a cooldown, step scaling adds what a "
        "larger step asks for beyond what was added.",
    ),
    Limit(
        "Data capture",
        "Written every few seconds. KmsKeyId is recorded; the bucket's own encryption applies.",
        "Written about once a minute, encrypted with the key.",
    ),
)
