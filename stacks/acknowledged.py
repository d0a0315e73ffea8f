"""A finding that is so on purpose, and how the checks spell what it is about."""

from collections.abc import Iterator
from dataclasses import dataclass

from stacks.config import Environment
from stacks.config.places import partition

NO_TRACE = "a cycle is one function and a few AWS calls; the audit trail in the table is what people follow"
END_OF_LINE = "this is a dead-letter queue; an alarm says when anything is in it"
QUEUE_KEEPS = "fed by a queue with a dead-letter queue of its own, which keeps what fails"
OTHER_STACKS_KEY = "the key belongs to another stack: conditions name its alias, and the one service or purpose"
PACKAGES = "versions of one group, numbered as they are registered"
MODELS = "one endpoint's models, below its own prefix"
CAPTURES = "one endpoint's captured traffic, below its own prefix"
ASSETS = "bootstrap models among the app's assets, named by hash; an older one than this template's may be live"
MADE_IN_ROLLOUTS = (
    "rollouts make these, under names that begin with the endpoint's; the name's tail is the rollout's id"
)
LOG_IN = "AWS gives out ECR tokens, and takes metrics, for an account as a whole; a condition names the namespaces"


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


def wildcard(path: str, resource: str, reason: str) -> Acknowledged:
    """Return that a role's policy names resources by a pattern."""
    return Acknowledged(f"{path}/Role/DefaultPolicy/Resource", f"AwsSolutions-IAM5[Resource::{resource}]", reason)


def untraced(path: str) -> Acknowledged:
    """Return that a function is not traced."""
    return Acknowledged(f"{path}/Function/Resource", "Serverless-LambdaTracing", NO_TRACE)


def without_dead_letters(path: str, reason: str) -> Acknowledged:
    """Return that a function keeps no events that it has failed on."""
    return Acknowledged(f"{path}/Function/Resource", "Serverless-LambdaDLQ", reason)


def queues(stack: str, dead_letters: tuple[str, ...], feeds: tuple[str, ...]) -> Iterator[Acknowledged]:
    """Yield that dead-letter queues have none of their own, and that feeds leave failures to their queue."""
    for queue in dead_letters:
        yield Acknowledged(f"{stack}/{queue}/Queue/Resource", "Serverless-SQSRedrivePolicy", END_OF_LINE)
    for feed in feeds:
        yield Acknowledged(f"{stack}/{feed}/Resource", "Serverless-LambdaEventSourceMappingDestination", QUEUE_KEEPS)


class Spelling:
    """Resources as the checks show them: what is known only when deploying stands in angle brackets.

    Parameters
    ----------
    environment
        Where they are.
    """

    def __init__(self, environment: Environment) -> None:
        self._partition = partition(environment.region) if environment.region else "<AWS::Partition>"
        self._account = environment.account or "<AWS::AccountId>"
        self._region = environment.region or "<AWS::Region>"
        self._environment = environment.environment

    def arn(self, service: str, rest: str) -> str:
        """Return an ARN in the environment's account and region."""
        return f"arn:{self._partition}:{service}:{self._region}:{self._account}:{rest}"

    def artefacts(self, path: str) -> str:
        """Return the ARN of objects in the artefact bucket, as another stack than its own names it."""
        return self._s3(f"tidegate-{self._environment}-artefacts", path)

    def assets(self, path: str) -> str:
        """Return the ARN of assets of the app."""
        return self._s3("cdk-hnb659fds-assets", path)

    def packages(self, name: str) -> str:
        """Return the ARN of the model packages of an endpoint."""
        return self.arn("sagemaker", f"model-package/{name}/*")

    def _s3(self, bucket: str, path: str) -> str:
        return f"arn:{self._partition}:s3:::{bucket}-{self._account}-{self._region}/{path}"
