"""Findings about the front doors that are so on purpose, each with its reason."""

import hashlib
from collections.abc import Iterator

from lambdas.contract import JOBS_VARIANT, batch_job_prefix, jobs_endpoint, scalable_target
from lambdas.inference.routes import ROUTES
from stacks.acknowledged import (
    LOG_IN,
    MADE_IN_ROLLOUTS,
    OTHER_STACKS_KEY,
    PACKAGES,
    QUEUE_KEEPS,
    Acknowledged,
    Spelling,
    queues,
    untraced,
    wildcard,
    without_dead_letters,
)
from stacks.config import Endpoint, Environment
from stacks.config.front_door import FrontDoor

_LOGS = "arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
_LOGS_AS_ADVISED = "what AWS advises for API Gateway's logs, under one role for all APIs of an account"
_VALIDATES = "the function checks bodies against the live model's own signature, which changes with its versions"
_KEYED = "callers bring the API key of a client, as the environment's file asks for; there are no pages to log in to"
_OTHER_ISSUER = "callers are known by API keys, IAM or tokens of an issuer of one's own choice"
_CALLED_BY_API = "called by the API, whose caller gets the failure as an answer"
_STREAM_KEEPS = "fed by a stream, whose mapping sends what keeps failing to a dead-letter queue"
_STREAM_QUEUE = "this is the dead-letter queue of an event source mapping, which the check does not look at"
_OWN_KEY = "the stack's own key encrypts them, whose policy says who may use it; AWS's own key has none to change"
_NO_TRACE = "the access log tells each request's times, and the audit which model answered"
_RULES_QUEUE = "this is the dead-letter queue of event rules, which the check does not look at"
_SIGNATURES = "what one endpoint's models take, beside each of them, and no other files"
_SIGNED = "one endpoint's models, below its own prefix, to know whether they are still what was signed"
_JOBS = "inputs and answers of one endpoint's jobs, below its own prefix"
_ANSWERED_JOBS = "rows of one endpoint's jobs, and what its asynchronous endpoint leaves of answers and failures"
_JOBS_MADE = "models and configs of the endpoint that answers one endpoint's jobs; the name's tail is their digest"
_TARGETS = (
    "scalable targets have ARNs that AWS makes up; conditions narrow this to instance counts of SageMaker's variants, "
    "but to those of all endpoints of the account and region: it might take away the scaling of others"
)
_TRACKING = "alarms that Application Auto Scaling makes for the policy of one endpoint, and names as it likes"
_ALARMS = "AWS shows alarms, which a scaling policy makes, only to who may see all of them"
_LOOKED_FOR = "what a lost message would have told is looked for by the job's own message"
_LOOKS_AGAIN = "it looks each minute, so that an event on which it failed is not missed"
_BATCH = "rows and answers of one endpoint's batches, below its own prefixes"
_BATCH_JOBS = "jobs and models of one endpoint's batches, named for it, the run and the attempt"
_LOADS = "executions of one state machine for runs and their files, whose names and ids come with them"
_LOAD_FAILS = "called by a state machine, which tries again, and fails with the reason if the function keeps failing"
_DELIVERY = "AWS ties log deliveries, and traces, to no resources"
_JOB_LOGS = "streams of the one log group that SageMaker makes for all jobs of a kind; it names them for the jobs"
_NETWORK = (
    "Lambda makes the function's network interfaces, whose ids nobody knows before; a refusal keeps its code from it"
)
_CLOUDFORMATION_WAITS = "called by CloudFormation, which reports a failure or a missing answer itself"
_SWITCHED = "versions that operators made of one profile, numbered as they are made"
_AUDIT = "what is written down of one endpoint's predictions, below its own prefix"


def of_front_doors(environment: Environment) -> Iterator[Acknowledged]:
    """Yield what is so on purpose in the stack of the front doors."""
    yield from queues("Inference", ("LostEvents",), ())
    yield Acknowledged("Inference/LostEvents/Queue/Resource", "AwsSolutions-SQS3", _RULES_QUEUE)
    yield Acknowledged("Inference/LogRole/Resource", f"AwsSolutions-IAM4[Policy::{_LOGS}]", _LOGS_AS_ADVISED)
    if environment.has_switches:
        yield from _called("Inference/EmptySwitches", _CLOUDFORMATION_WAITS)
    for endpoint in environment.called:
        assert endpoint.front_door is not None
        yield from _of_endpoint(endpoint, endpoint.front_door, Spelling(environment), environment.environment)


def _of_endpoint(endpoint: Endpoint, door: FrontDoor, spelling: Spelling, environment: str) -> Iterator[Acknowledged]:
    path, name = f"Inference/Endpoint-{endpoint.name}", endpoint.full_name(environment)
    yield from _api(f"{path}/Api/Rest", door)
    answering = [f"{path}/Predict/Control"]
    if door.switches:
        yield _switched(endpoint.name, spelling)
    if door.auth == "jwt":
        yield from _called(f"{path}/Authorize/Control", _CALLED_BY_API)
    if door.jobs is not None:
        answering.append(f"{path}/Jobs/Take/Control")
        yield from _working(f"{path}/Jobs", spelling, name)
    if endpoint.has_jobs_endpoint:
        yield from _following(f"{path}/Jobs/Own", spelling, name)
        yield from _answering_jobs(f"Registry/Endpoint-{endpoint.name}", spelling, name)
    if door.stream is not None:
        yield from queues(f"{path}/Stream", ("Dead",), ())
        yield Acknowledged(f"{path}/Stream/Dead/Queue/Resource", "AwsSolutions-SQS3", _STREAM_QUEUE)
        for stream in ("Rows", "Answers"):
            yield Acknowledged(f"{path}/Stream/{stream}/Resource", "AwsSolutions-KDS3", _OWN_KEY)
        yield from _called(f"{path}/Stream/Work", _STREAM_KEEPS)
        yield from _knowing(f"{path}/Stream/Work", spelling, name)
    for function in answering:
        yield from _called(function, _CALLED_BY_API)
        yield from _knowing(function, spelling, name)
    if door.keeps_in_memory:
        for resource in ("*", spelling.arn("ec2", "*/*")):
            yield wildcard(f"{path}/Predict/Control", resource, _NETWORK)
    if door.batch is not None:
        yield from _batches(f"{path}/Batches", spelling, name)
        if door.serves_batches:
            yield from _served(f"{path}/Batches", spelling, name)
        yield from _execution(f"Registry/Endpoint-{endpoint.name}", spelling, name)
    if door.audit is not None:
        yield from _erasure(f"{path}/Erasure/Job", spelling, name)
        yield from _audit(f"{path}/Audit", spelling, name)


def _api(rest: str, door: FrontDoor) -> Iterator[Acknowledged]:
    yield Acknowledged(f"{rest}/Resource", "AwsSolutions-APIG2", _VALIDATES)
    yield Acknowledged(f"{rest}/DeploymentStage.live/Resource", "Serverless-APIGWXrayEnabled", _NO_TRACE)
    for route in ROUTES:
        if not route.is_there(jobs=door.jobs is not None, keyed=door.serves_batches):
            continue
        method = f"{rest}/Default{route.path}/{route.method}/Resource"
        yield Acknowledged(method, "AwsSolutions-COG4", _OTHER_ISSUER)
        if door.auth == "api_key":
            yield Acknowledged(method, "AwsSolutions-APIG4", _KEYED)


def _switched(endpoint: str, spelling: Spelling) -> Acknowledged:
    application, profile = (
        _logical_id(f"Endpoint-{endpoint}", "Switches", part) for part in ("Application", "Profile")
    )
    own = f"application/<{application}>/configurationprofile/<{profile}>"
    return wildcard(
        "Inference/EmptySwitches", spelling.arn("appconfig", f"{own}/hostedconfigurationversion/*"), _SWITCHED
    )


def _logical_id(*path: str) -> str:
    """Return how the CDK names a resource, by which the check shows what only CloudFormation knows."""
    digest = hashlib.md5("/".join(path).encode(), usedforsecurity=False).hexdigest()
    return "".join(path).replace("-", "") + digest[:8].upper()


def _called(function: str, keeps: str) -> Iterator[Acknowledged]:
    yield untraced(function)
    yield without_dead_letters(function, keeps)


def _knowing(function: str, spelling: Spelling, name: str) -> Iterator[Acknowledged]:
    """Yield about a function that knows which versions are live and what they take."""
    yield wildcard(function, spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)
    yield wildcard(function, spelling.packages(name), PACKAGES)
    yield wildcard(function, spelling.artefacts(f"{name}/*/signature.json"), _SIGNATURES)
    for kind in ("endpoint-config", "model"):
        yield wildcard(function, spelling.arn("sagemaker", f"{kind}/{name}-*"), MADE_IN_ROLLOUTS)


def _working(jobs: str, spelling: Spelling, name: str) -> Iterator[Acknowledged]:
    work = f"{jobs}/Work"
    yield from queues(jobs, ("Dead",), ("Work/Function/JobsFeed",))
    yield from _called(work, QUEUE_KEEPS)
    yield from _knowing(work, spelling, name)
    for function in (work, f"{jobs}/Take/Control"):
        yield wildcard(function, spelling.artefacts(f"inference/{name}/*"), _JOBS)


def _following(own: str, spelling: Spelling, name: str) -> Iterator[Acknowledged]:
    """Yield about what keeps the endpoint that answers jobs."""
    follow, jobs = f"{own}/Follow", jobs_endpoint(name)
    tracked = f"alarm:TargetTracking-{scalable_target(jobs, JOBS_VARIANT)}*"
    yield Acknowledged(f"{own}/Told", "Serverless-SNSRedrivePolicy", _LOOKED_FOR)
    yield from _called(follow, _LOOKS_AGAIN)
    yield wildcard(follow, spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)
    yield wildcard(follow, spelling.artefacts(f"{name}/*"), _SIGNED)
    for kind in ("endpoint-config", "model"):
        yield wildcard(follow, spelling.arn("sagemaker", f"{kind}/{name}-*"), MADE_IN_ROLLOUTS)
        yield wildcard(follow, spelling.arn("sagemaker", f"{kind}/{jobs}-*"), _JOBS_MADE)
    yield wildcard(follow, spelling.arn("application-autoscaling", "scalable-target/*"), _TARGETS)
    yield wildcard(follow, spelling.arn("cloudwatch", tracked), _TRACKING)
    yield wildcard(follow, "*", _ALARMS)


def _answering_jobs(endpoint: str, spelling: Spelling, name: str) -> Iterator[Acknowledged]:
    """Yield about the role of the containers, under which they answer jobs as well."""
    for folder in ("jobs", "answers", "failures"):
        yield wildcard(endpoint, f"<ArtefactsBucket44D43D7B.Arn>/inference/{name}/{folder}/*", _ANSWERED_JOBS)
    yield wildcard(endpoint, spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)


def _batches(batches: str, spelling: Spelling, name: str) -> Iterator[Acknowledged]:
    run = f"{batches}/Run"
    yield from queues(batches, ("Orders/DeadLetters",), ("Run/Function/OrdersFeed",))
    yield from _called(run, QUEUE_KEEPS)
    yield wildcard(run, spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)
    yield wildcard(run, spelling.artefacts(f"batch/{name}/*"), _BATCH)
    yield wildcard(run, spelling.artefacts(f"{name}/*"), _SIGNED)
    for kind in ("endpoint-config", "model"):
        yield wildcard(run, spelling.arn("sagemaker", f"{kind}/{name}-*"), MADE_IN_ROLLOUTS)
    for kind in ("transform-job", "model"):
        yield wildcard(run, spelling.arn("sagemaker", f"{kind}/{batch_job_prefix(name)}*"), _BATCH_JOBS)


def _served(batches: str, spelling: Spelling, name: str) -> Iterator[Acknowledged]:
    """Yield about answers that can be asked for by key."""
    run, loading, machine = f"{batches}/Run", f"{batches}/Loading", f"tidegate-{name}-load"
    load = f"{loading}/Load"
    yield wildcard(run, spelling.packages(name), PACKAGES)
    yield wildcard(run, spelling.artefacts(f"{name}/*/signature.json"), _SIGNATURES)
    yield wildcard(run, spelling.arn("sagemaker", f"model/{name}-*"), MADE_IN_ROLLOUTS)
    yield wildcard(run, spelling.arn("states", f"execution:{machine}:*"), _LOADS)
    yield from _called(load, _LOAD_FAILS)
    for role in (loading, load):
        yield wildcard(role, spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)
    for folder in ("part=0", "load"):
        yield wildcard(load, spelling.artefacts(f"batch/{name}/*/{folder}/*"), _BATCH)
    yield wildcard(loading, spelling.artefacts(f"batch/{name}/*/loads/*"), _BATCH)
    yield wildcard(loading, "*", _DELIVERY)
    for kind in (f"execution:{machine}:*", f"execution:{machine}/Files:*"):
        yield wildcard(loading, spelling.arn("states", kind), _LOADS)


def _execution(endpoint: str, spelling: Spelling, name: str) -> Iterator[Acknowledged]:
    """Yield about the role of the containers, under which Batch Transform runs as well."""
    bucket = "<ArtefactsBucket44D43D7B.Arn>"
    for folder in ("batch", "batch-input"):
        yield wildcard(endpoint, f"{bucket}/{folder}/{name}/*", _BATCH)
    yield wildcard(endpoint, spelling.arn("logs", "log-group:/aws/sagemaker/TransformJobs:*"), _JOB_LOGS)


def _erasure(job: str, spelling: Spelling, name: str) -> Iterator[Acknowledged]:
    yield wildcard(job, "*", LOG_IN)
    yield wildcard(job, spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)
    yield wildcard(job, spelling.arn("logs", "log-group:/aws/sagemaker/ProcessingJobs:*"), _JOB_LOGS)
    for folder, reason in (("audit", _AUDIT), ("inference", _JOBS)):
        yield wildcard(job, spelling.artefacts(f"{folder}/{name}/*"), reason)


def _audit(audit: str, spelling: Spelling, name: str) -> Iterator[Acknowledged]:
    yield wildcard(audit, spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)
    for folder in ("audit", "audit-errors"):
        yield wildcard(audit, spelling.artefacts(f"{folder}/{name}/*"), _AUDIT)
