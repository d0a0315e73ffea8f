"""Findings of the template checks that are so on purpose, each with its reason. Nothing else is let through."""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import Acknowledgment, Stage, Validations
from constructs import IConstruct

from lambdas import contract
from stacks.config import Environment
from stacks.config.places import partition
from stacks.constructs.compared import compared_endpoints

CFN_LINT_IGNORED = {
    "W3005": "the CDK spells out dependencies of functions on their roles, and orderings that a Ref implies as well",
}

_LOOP = ("React", "Tick")
_RESOURCE_FUNCTIONS = ("Seed", "Fleet", "Cleanup")
_FUNCTIONS = ("Admit", *_LOOP, *_RESOURCE_FUNCTIONS)
_QUEUES = ("Timers/DeadLetters", "Approvals/DeadLetters", "LostEvents")
_FEEDS = ("Admit/Function/ApprovalsFeed", "React/Function/TimersFeed")

_MADE_IN_ROLLOUTS = (
    "rollouts make these, under names that begin with the endpoint's; the name's tail is the rollout's id"
)
_PACKAGES = "versions of one group, numbered as they are registered"
_SCALING = "AWS makes up the ARNs of scalable targets; a condition narrows the statement to SageMaker's"
_SCALING_ALARMS = "Application Auto Scaling makes these alarms, and appends an id to a name that says the variant"
_EVERY_ALARM = "AWS shows composite alarms only to who may describe every alarm"
_NO_TRACE = "a cycle is one function and a few AWS calls; the audit trail in the table is what people follow"
_ASSETS = "bootstrap models among the app's assets, named by hash; an older one than this template's may be live"
_ARTEFACTS = "one endpoint's models, below its own prefix"
_CAPTURES = "one endpoint's captured traffic, below its own prefix"
_LOG_IN = "AWS gives out ECR tokens, and takes metrics, for an account as a whole; a condition names the namespaces"
_EMPTIES = "empties the buckets that are destroyed with it"
_END_OF_LINE = "this is a dead-letter queue; an alarm says when anything is in it"
_NEXT_MINUTE = "the next minute's run does what this one did not, and the heartbeat alarm tells when none does"
_QUEUE_KEEPS = "fed by a queue with a dead-letter queue of its own, which keeps what fails"
_CLOUDFORMATION_WAITS = "called by CloudFormation, which reports a failure or a missing answer itself"
_MAILS = "SNS tries a mail again for hours, and nobody would read a queue of them; the alarm's state stays to be seen"
_REGISTRY_KEY = "the key belongs to another stack: conditions name its alias, and S3 as the only way"
_WITHOUT_DEAD_LETTERS = {"Admit": _QUEUE_KEEPS, "Compare": _QUEUE_KEEPS, "Tick": _NEXT_MINUTE}


_BUCKET = "<ArtefactsBucket44D43D7B.Arn>"
_ACCESS_LOGS = "<ArtefactsAccessLogs62F8C1E7.Arn>"


@dataclass(frozen=True)
class Acknowledged:
    """A finding that is so on purpose.

    Parameters
    ----------
    path
        Construct, below the stage.
    rule
        Rule, with the finding in brackets where a rule has several.
    reason
        Why it is right.
    """

    path: str
    rule: str
    reason: str


def acknowledge(stage: Stage, environment: Environment) -> None:
    """Tell the checks of a stage what is so on purpose; a path that does not exist is an error."""
    for one in acknowledged(environment):
        construct: IConstruct = stage
        for name in one.path.split("/"):
            construct = construct.node.find_child(name)
        Validations.of(construct).acknowledge(Acknowledgment(id=one.rule, reason=one.reason))


def acknowledged(environment: Environment) -> list[Acknowledged]:
    """Return every acknowledged finding of an environment."""
    found = [*_queues(_QUEUES, _FEEDS), *_mails(environment), *_functions("Rollout", _FUNCTIONS)]
    found += _rollout_wildcards(environment)
    if compared_endpoints(environment):
        found += [*_queues(("Captures/DeadLetters",), ("Compare/Function/CapturesFeed",))]
        found += [*_functions("Rollout", ("Compare",)), *_comparison_wildcards(environment)]
    found += _execution_wildcards(environment)
    if not environment.retain_data:
        found += [*_functions("Registry", ("Empty",)), *_emptying_wildcards(environment)]
    return found


def _queues(dead_letters: tuple[str, ...], feeds: tuple[str, ...]) -> Iterator[Acknowledged]:
    for queue in dead_letters:
        yield Acknowledged(f"Rollout/{queue}/Queue/Resource", "Serverless-SQSRedrivePolicy", _END_OF_LINE)
    for feed in feeds:
        yield Acknowledged(f"Rollout/{feed}/Resource", "Serverless-LambdaEventSourceMappingDestination", _QUEUE_KEEPS)


def _mails(environment: Environment) -> Iterator[Acknowledged]:
    for email in environment.alert_emails:
        yield Acknowledged(f"Rollout/Alerts/{email}/Resource", "Serverless-SNSRedrivePolicy", _MAILS)


def _functions(stack: str, names: tuple[str, ...]) -> Iterator[Acknowledged]:
    for name in names:
        path = f"{stack}/{name}/Function/Resource"
        yield Acknowledged(path, "Serverless-LambdaTracing", _NO_TRACE)
        if name != "React":
            reason = _WITHOUT_DEAD_LETTERS.get(name, _CLOUDFORMATION_WAITS)
            yield Acknowledged(path, "Serverless-LambdaDLQ", reason)
        if name == "Tick":
            once = f"{stack}/{name}/Function/EventInvokeConfig/Resource"
            yield Acknowledged(once, "Serverless-LambdaAsyncFailureDestination", _NEXT_MINUTE)


def _rollout_wildcards(environment: Environment) -> Iterator[Acknowledged]:
    for function in _LOOP:
        yield _wildcard(f"Rollout/{function}", "*", _EVERY_ALARM)
    for function in (*_LOOP, "Fleet", "Cleanup"):
        targets = _arn(environment, "application-autoscaling", "scalable-target/*")
        yield _wildcard(f"Rollout/{function}", targets, _SCALING)
    for endpoint in environment.endpoints:
        yield from _endpoint_wildcards(environment, endpoint.full_name(environment.environment))


def _endpoint_wildcards(environment: Environment, name: str) -> Iterator[Acknowledged]:
    for function in (*_LOOP, "Cleanup"):
        for kind in ("endpoint-config", "model"):
            made = _arn(environment, "sagemaker", f"{kind}/{name}-*")
            yield _wildcard(f"Rollout/{function}", made, _MADE_IN_ROLLOUTS)
    for function in ("Admit", *_LOOP):
        yield _wildcard(f"Rollout/{function}", _packages(environment, name), _PACKAGES)
    for function in _LOOP:
        for slot in contract.SLOTS:
            alarm = f"alarm:TargetTracking-{contract.scalable_target(name, slot)}*"
            yield _wildcard(f"Rollout/{function}", _arn(environment, "cloudwatch", alarm), _SCALING_ALARMS)


def _comparison_wildcards(environment: Environment) -> Iterator[Acknowledged]:
    account, region = environment.account or "<AWS::AccountId>", environment.region or "<AWS::Region>"
    bucket = f"arn:{_partition(environment)}:s3:::tidegate-{environment.environment}-artefacts-{account}-{region}"
    for name in compared_endpoints(environment):
        yield _wildcard("Rollout/Compare", f"{bucket}/capture/{name}/*", _CAPTURES)
    yield _wildcard("Rollout/Compare", _arn(environment, "kms", "key/*"), _REGISTRY_KEY)


def _execution_wildcards(environment: Environment) -> Iterator[Acknowledged]:
    account, region = environment.account or "<AWS::AccountId>", environment.region or "<AWS::Region>"
    assets = f"arn:{_partition(environment)}:s3:::cdk-hnb659fds-assets-{account}-{region}/*.tar.gz"
    for endpoint in environment.endpoints:
        name, path = endpoint.full_name(environment.environment), f"Registry/Endpoint-{endpoint.name}"
        yield _wildcard(path, assets, _ASSETS)
        yield _wildcard(path, f"{_BUCKET}/{name}/*", _ARTEFACTS)
        yield _wildcard(path, f"{_BUCKET}/capture/{name}/*", _CAPTURES)
        yield _wildcard(path, "*", _LOG_IN)


def _emptying_wildcards(environment: Environment) -> Iterator[Acknowledged]:
    yield _wildcard("Registry/Empty", f"{_BUCKET}/*", _EMPTIES)
    yield _wildcard("Registry/Empty", f"{_ACCESS_LOGS}/*", _EMPTIES)
    for endpoint in environment.endpoints:
        name = endpoint.full_name(environment.environment)
        yield _wildcard("Registry/Empty", _packages(environment, name), _PACKAGES)


def _packages(environment: Environment, name: str) -> str:
    return _arn(environment, "sagemaker", f"model-package/{name}/*")


def _wildcard(path: str, resource: str, reason: str) -> Acknowledged:
    return Acknowledged(f"{path}/Role/DefaultPolicy/Resource", f"AwsSolutions-IAM5[Resource::{resource}]", reason)


def _arn(environment: Environment, service: str, rest: str) -> str:
    """Return an ARN as the checks show it: what is known only when deploying stands in angle brackets."""
    account, region = environment.account or "<AWS::AccountId>", environment.region or "<AWS::Region>"
    return f"arn:{_partition(environment)}:{service}:{region}:{account}:{rest}"


def _partition(environment: Environment) -> str:
    return partition(environment.region) if environment.region else "<AWS::Partition>"
