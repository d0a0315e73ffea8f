"""Findings of the template checks that are so on purpose, each with its reason. Nothing else is let through."""

from collections.abc import Iterator

from aws_cdk import Acknowledgment, Stage, Validations
from constructs import IConstruct

from lambdas import contract
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
from stacks.config import Environment
from stacks.constructs.compared import compared_endpoints
from stacks.front_door_acknowledgements import of_front_doors
from stacks.loop_acknowledgements import of_monitoring, of_retraining

CFN_LINT_IGNORED = {
    "W3005": "the CDK spells out dependencies of functions on their roles, and orderings that a Ref implies as well",
}

_LOOP = ("React", "Tick")
_RESOURCE_FUNCTIONS = ("Seed", "Fleet", "Cleanup")
_FUNCTIONS = ("Admit", *_LOOP, *_RESOURCE_FUNCTIONS)
_QUEUES = ("Timers/DeadLetters", "Approvals/DeadLetters", "LostEvents")
_FEEDS = ("Admit/Function/ApprovalsFeed", "React/Function/TimersFeed")

_SCALING = "AWS makes up the ARNs of scalable targets; a condition narrows the statement to SageMaker's"
_SCALING_ALARMS = "Application Auto Scaling makes these alarms, and appends an id to a name that says the variant"
_EVERY_ALARM = "AWS shows composite alarms only to who may describe every alarm"
_EMPTIES = "empties the buckets that are destroyed with it"
_NEXT_MINUTE = "the next minute's run does what this one did not, and the heartbeat alarm tells when none does"
_CLOUDFORMATION_WAITS = "called by CloudFormation, which reports a failure or a missing answer itself"
_MAILS = "SNS tries a mail again for hours, and nobody would read a queue of them; the alarm's state stays to be seen"
_WITHOUT_DEAD_LETTERS = {"Admit": QUEUE_KEEPS, "Compare": QUEUE_KEEPS, "Tick": _NEXT_MINUTE}


_BUCKET = "<ArtefactsBucket44D43D7B.Arn>"
_ACCESS_LOGS = "<ArtefactsAccessLogs62F8C1E7.Arn>"


def acknowledge(stage: Stage, environment: Environment) -> None:
    """Tell the checks of a stage what is so on purpose; a path that does not exist is an error."""
    for one in acknowledged(environment):
        construct: IConstruct = stage
        for name in one.path.split("/"):
            construct = construct.node.find_child(name)
        Validations.of(construct).acknowledge(Acknowledgment(id=one.rule, reason=one.reason))


def acknowledged(environment: Environment) -> list[Acknowledged]:
    """Return every acknowledged finding of an environment."""
    found = [*queues("Rollout", _QUEUES, _FEEDS), *_mails(environment), *_functions("Rollout", _FUNCTIONS)]
    found += _rollout_wildcards(environment)
    if compared_endpoints(environment):
        found += [*queues("Rollout", ("Captures/DeadLetters",), ("Compare/Function/CapturesFeed",))]
        found += [*_functions("Rollout", ("Compare",)), *_comparison_wildcards(environment)]
    found += _execution_wildcards(environment)
    if environment.monitored:
        found += of_monitoring(environment)
    if environment.retrained:
        found += of_retraining(environment)
    if environment.called:
        found += of_front_doors(environment)
    if not environment.retain_data:
        found += [*_functions("Registry", ("Empty",)), *_emptying_wildcards(environment)]
    return found


def _mails(environment: Environment) -> Iterator[Acknowledged]:
    for email in environment.alert_emails:
        yield Acknowledged(f"Rollout/Alerts/{email}/Resource", "Serverless-SNSRedrivePolicy", _MAILS)


def _functions(stack: str, names: tuple[str, ...]) -> Iterator[Acknowledged]:
    for name in names:
        path = f"{stack}/{name}"
        yield untraced(path)
        if name != "React":
            yield without_dead_letters(path, _WITHOUT_DEAD_LETTERS.get(name, _CLOUDFORMATION_WAITS))
        if name == "Tick":
            once = f"{path}/Function/EventInvokeConfig/Resource"
            yield Acknowledged(once, "Serverless-LambdaAsyncFailureDestination", _NEXT_MINUTE)


def _rollout_wildcards(environment: Environment) -> Iterator[Acknowledged]:
    spelling = Spelling(environment)
    for function in _LOOP:
        yield wildcard(f"Rollout/{function}", "*", _EVERY_ALARM)
    for function in ("Admit", *_LOOP):
        yield wildcard(f"Rollout/{function}", spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)
    for function in (*_LOOP, "Fleet", "Cleanup"):
        targets = spelling.arn("application-autoscaling", "scalable-target/*")
        yield wildcard(f"Rollout/{function}", targets, _SCALING)
    for endpoint in environment.endpoints:
        yield from _endpoint_wildcards(spelling, endpoint.full_name(environment.environment))


def _endpoint_wildcards(spelling: Spelling, name: str) -> Iterator[Acknowledged]:
    for function in (*_LOOP, "Cleanup"):
        for kind in ("endpoint-config", "model"):
            yield wildcard(f"Rollout/{function}", spelling.arn("sagemaker", f"{kind}/{name}-*"), MADE_IN_ROLLOUTS)
    for function in ("Admit", *_LOOP):
        yield wildcard(f"Rollout/{function}", spelling.packages(name), PACKAGES)
        yield wildcard(f"Rollout/{function}", spelling.artefacts(f"{name}/*"), MODELS)
    for function in _LOOP:
        for slot in contract.SLOTS:
            alarm = f"alarm:TargetTracking-{contract.scalable_target(name, slot)}*"
            yield wildcard(f"Rollout/{function}", spelling.arn("cloudwatch", alarm), _SCALING_ALARMS)


def _comparison_wildcards(environment: Environment) -> Iterator[Acknowledged]:
    spelling = Spelling(environment)
    for name in compared_endpoints(environment):
        yield wildcard("Rollout/Compare", spelling.artefacts(f"capture/{name}/*"), CAPTURES)
    yield wildcard("Rollout/Compare", spelling.arn("kms", "key/*"), OTHER_STACKS_KEY)


def _execution_wildcards(environment: Environment) -> Iterator[Acknowledged]:
    assets = Spelling(environment).assets("*.tar.gz")
    for endpoint in environment.endpoints:
        name, path = endpoint.full_name(environment.environment), f"Registry/Endpoint-{endpoint.name}"
        yield wildcard(path, assets, ASSETS)
        yield wildcard(path, f"{_BUCKET}/{name}/*", MODELS)
        yield wildcard(path, f"{_BUCKET}/capture/{name}/*", CAPTURES)
        yield wildcard(path, "*", LOG_IN)
        if endpoint.fleet.captures_itself:
            for folder in (f"capture/{name}/container", f"capture-errors/{name}"):
                yield wildcard(f"{path}/Capture", f"{_BUCKET}/{folder}/*", CAPTURES)


def _emptying_wildcards(environment: Environment) -> Iterator[Acknowledged]:
    yield wildcard("Registry/Empty", f"{_BUCKET}/*", _EMPTIES)
    yield wildcard("Registry/Empty", f"{_ACCESS_LOGS}/*", _EMPTIES)
    for endpoint in environment.endpoints:
        name = endpoint.full_name(environment.environment)
        yield wildcard("Registry/Empty", Spelling(environment).packages(name), PACKAGES)
