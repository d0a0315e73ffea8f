"""Findings about the drift monitor and retraining that are so on purpose, each with its reason."""

from collections.abc import Iterator

from lambdas.contract import counting_job_prefix
from stacks.acknowledged import (
    ASSETS,
    CAPTURES,
    LOG_IN,
    MADE_IN_ROLLOUTS,
    MODELS,
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

_FOLDERS = {
    "capture": CAPTURES,
    "labels": "labels of one endpoint's requests, below its own prefix",
    "monitoring": "what was found in one endpoint's windows, below its own prefix",
    "retraining": "what runs for one endpoint leave, below its own prefix",
}
_WINDOWS = "jobs that count one endpoint's windows, named for it and the window"
_STEPS = "SageMaker names the jobs of a pipeline's steps: pipelines-, the execution, the step"
_LAST_WORDS = f"to say why a step's job has failed, which is only described; {_STEPS}"
_EXECUTIONS = "executions of one pipeline, whose ids SageMaker makes up"
_JOB_LOGS = "streams of the one log group that SageMaker makes for all jobs of a kind; it names them for the jobs"
_DELIVERY = "AWS ties log deliveries, and traces, to no resources"
_PART_LISTS = "the lists of the parts of one endpoint's windows, and no other files"
_PARTS = "executions of one state machine for windows and their parts, whose names and ids come with them"
_MERGE_FAILS = "called by a state machine, which fails with the reason if the function does"
_NEXT_SWEEP = "the next sweep does what this one did not, and the heartbeat alarm tells when none does"
_RULES_QUEUE = "this is the dead-letter queue of event rules, which the check does not look at"
_STEP_FAILS = "called by a pipeline's step, which fails with the reason if the function does"


def of_monitoring(environment: Environment) -> Iterator[Acknowledged]:
    """Yield what is so on purpose in the stack of the monitors."""
    spelling, monitor = Spelling(environment), "Monitoring/Monitor"
    yield from _in_parts(environment, spelling)
    yield from queues("Monitoring", ("LostRuns",), ())
    yield untraced(monitor)
    yield wildcard(monitor, "*", LOG_IN)
    yield wildcard(monitor, spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)
    for endpoint in environment.monitored:
        name, job = endpoint.full_name(environment.environment), f"Monitoring/Endpoint-{endpoint.name}/Job"
        read = ("capture", "labels", "monitoring")
        yield from _folders(monitor, spelling, name, read)
        yield wildcard(monitor, spelling.packages(name), PACKAGES)
        yield wildcard(monitor, spelling.arn("sagemaker", f"processing-job/{counting_job_prefix(name)}*"), _WINDOWS)
        yield from _folders(job, spelling, name, read)
        yield from _job(job, spelling, ("ProcessingJobs",))


def _in_parts(environment: Environment, spelling: Spelling) -> Iterator[Acknowledged]:
    """Yield what is so on purpose in the counting of large windows."""
    machine, merge, monitor = "Monitoring/LargeWindows", "Monitoring/Merge", "Monitoring/Monitor"
    name = f"tidegate-{environment.environment}-count-windows"
    yield wildcard(machine, "*", _DELIVERY)
    for kind in (f"execution:{name}:*", f"execution:{name}/Parts:*"):
        yield wildcard(machine, spelling.arn("states", kind), _PARTS)
        yield wildcard(monitor, spelling.arn("states", kind), _PARTS)
    yield wildcard(monitor, spelling.arn("states", f"mapRun:{name}/*"), _PARTS)
    yield untraced(merge)
    yield without_dead_letters(merge, _MERGE_FAILS)
    for role in (machine, merge):
        yield wildcard(role, spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)
    for endpoint in environment.monitored:
        full = endpoint.full_name(environment.environment)
        yield wildcard(machine, spelling.arn("sagemaker", f"processing-job/{counting_job_prefix(full)}*"), _WINDOWS)
        yield wildcard(machine, spelling.artefacts(f"monitoring/{full}/*/parts.json"), _PART_LISTS)
        yield wildcard(merge, spelling.artefacts(f"monitoring/{full}/*"), _FOLDERS["monitoring"])


def of_retraining(environment: Environment) -> Iterator[Acknowledged]:
    """Yield what is so on purpose in the stack of retraining."""
    spelling = Spelling(environment)
    retrain, sweep, conclude = "Retraining/Retrain", "Retraining/Sweep", "Retraining/Conclude"
    yield from queues("Retraining", ("LostEvents", "Requests/DeadLetters"), ("Retrain/Function/RequestsFeed",))
    yield Acknowledged("Retraining/LostEvents/Queue/Resource", "AwsSolutions-SQS3", _RULES_QUEUE)
    functions = (retrain, sweep, conclude)
    yield from (untraced(function) for function in functions)
    yield without_dead_letters(retrain, QUEUE_KEEPS)
    yield without_dead_letters(sweep, _NEXT_SWEEP)
    yield Acknowledged(
        f"{sweep}/Function/EventInvokeConfig/Resource", "Serverless-LambdaAsyncFailureDestination", _NEXT_SWEEP
    )
    yield without_dead_letters(conclude, _STEP_FAILS)
    for function in functions:
        yield wildcard(function, spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)
    for function in (retrain, sweep):
        yield wildcard(function, spelling.arn("sagemaker", "processing-job/pipelines-*"), _LAST_WORDS)
    for endpoint in environment.retrained:
        name = endpoint.full_name(environment.environment)
        executions = spelling.arn("sagemaker", f"pipeline/{name}-retraining/execution/*")
        for function in functions:
            yield wildcard(function, spelling.artefacts(f"retraining/{name}/*"), _FOLDERS["retraining"])
            yield wildcard(function, spelling.packages(name), PACKAGES)
            yield from _live(function, spelling, name)
        for function in (retrain, sweep):
            yield wildcard(function, executions, _EXECUTIONS)
        yield wildcard(conclude, spelling.artefacts(f"{name}/*"), MODELS)
        yield from _pipeline(endpoint, name, spelling)


def _pipeline(endpoint: Endpoint, name: str, spelling: Spelling) -> Iterator[Acknowledged]:
    path = f"Retraining/Endpoint-{endpoint.name}/Retraining"
    job, steps = f"{path}/Job", f"{path}/Steps"
    yield from _folders(job, spelling, name, ("capture", "labels", "retraining"))
    yield from _job(job, spelling, ("ProcessingJobs", "TrainingJobs"))
    yield wildcard(job, spelling.assets("*.tar.gz"), ASSETS)
    yield wildcard(steps, spelling.artefacts(f"retraining/{name}/*"), _FOLDERS["retraining"])
    yield wildcard(steps, spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)
    for kind in ("processing-job", "training-job"):
        yield wildcard(steps, spelling.arn("sagemaker", f"{kind}/pipelines-*"), _STEPS)


def _folders(path: str, spelling: Spelling, name: str, folders: tuple[str, ...]) -> Iterator[Acknowledged]:
    yield wildcard(path, spelling.artefacts(f"{name}/*"), MODELS)
    for folder in folders:
        yield wildcard(path, spelling.artefacts(f"{folder}/{name}/*"), _FOLDERS[folder])


def _live(path: str, spelling: Spelling, name: str) -> Iterator[Acknowledged]:
    for kind in ("endpoint-config", "model"):
        yield wildcard(path, spelling.arn("sagemaker", f"{kind}/{name}-*"), MADE_IN_ROLLOUTS)


def _job(path: str, spelling: Spelling, kinds: tuple[str, ...]) -> Iterator[Acknowledged]:
    yield wildcard(path, "*", LOG_IN)
    yield wildcard(path, spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)
    for kind in kinds:
        yield wildcard(path, spelling.arn("logs", f"log-group:/aws/sagemaker/{kind}:*"), _JOB_LOGS)
