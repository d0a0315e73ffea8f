"""What the tests of front doors share: environments with them, and their templates by what stands in them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lambdas import contract
from lambdas.inference.settings import FrontDoor as Settings
from stacks.config import Endpoint, Environment
from stacks.config.batches import Batches, Serving
from stacks.config.caching import Caching, Network
from stacks.config.callers import Client, SegmentRule
from stacks.config.front_door import Audit, Breaking, FrontDoor, Streaming
from stacks.config.job_queue import JobQueue

ORIGINS = ("https://shop.example.com", "https://admin.example.com")
ROLE = "arn:aws:iam::123456789012:role/shop"
CASES = [("local", "rain"), ("prod", "rain"), ("opened", "rain"), ("opened", "snow")]
"""Environments and endpoints with a front door: callers bring keys, tokens, keys and IAM's signature."""

ROLES = {
    "predict": "PredictControl",
    "jobs": "JobsTakeControl",
    "work": "JobsWork",
    "authorize": "AuthorizeControl",
    "stream": "StreamWork",
    "batch": "BatchesRun",
    "load": "BatchesLoadingLoad",
    "follow": "JobsOwnFollow",
}
"""What the roles of functions are called, by handler."""

KEYED = FrontDoor(
    auth="api_key",
    clients=(Client("shop", requests_per_second=7, burst=9, monthly_requests=1000), Client("lab", tester=True)),
    requests_per_second=11,
    burst=13,
    firewall_requests=500,
    timeout_seconds=20,
    most_rows=5,
    largest_body_kilobytes=3,
    breaker=Breaking(failures=3, open_seconds=7),
    default_answer='{"rain": 0, "why": "nobody \\"knows\\""}',
    segments=(SegmentRule("client", ("lab", "shop"), "candidate"), SegmentRule("caller", ("me",), "live")),
    jobs=JobQueue(attempts=50, keep_days=14, at_once=2),
    stream=Streaming(shards=2, batch_records=7, window_seconds=3, attempts=4, keep_days=30),
    batch=Batches(
        instance_type="ml.c5.xlarge",
        instances=2,
        schedule_hours=24,
        payload_megabytes=2,
        attempts=3,
        keep_days=45,
        serve=Serving(keep_days=12, clients=("shop",)),
    ),
    audit=Audit(keep_input=True, keep_output=False, redacted_columns=("wind",)),
)
SIGNED = FrontDoor(auth="iam", clients=(Client("shop", identity=ROLE),), keep_warm=True, cors_origins=ORIGINS)


def two_doors(environment: Environment) -> Environment:
    """Return an environment whose endpoints rain and snow have the front doors above."""
    (rain,) = environment.endpoints
    snow = replace(rain, name="snow", front_door=SIGNED)
    return replace(environment, endpoints=(replace(rain, front_door=KEYED), snow))


HOST = f"{'rain':x<40}-abcdef.serverless.apse2.cache.amazonaws.com"
"""As long as a cache's address may be."""

NETWORK = Network("vpc-0123456789abcdef0", ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1"))


def in_memory(environment: Environment) -> Environment:
    """Return an environment whose one endpoint's answers are kept in Valkey."""
    (rain,) = environment.endpoints
    assert rain.front_door is not None
    cache = Caching(60, store="valkey", valkey_gigabytes=3, valkey_units_per_second=2000)
    door = replace(rain.front_door, cache=cache, network=NETWORK)
    return replace(environment, endpoints=(replace(rain, front_door=door),))


def endpoint_of(synthesised: Any, name: str) -> tuple[Endpoint, FrontDoor]:
    """Return an endpoint and its front door, as the environment's file has them."""
    (found,) = [each for each in synthesised.environment.endpoints if each.name == name]
    assert found.front_door is not None
    return found, found.front_door


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def ids(template: Any, kind: str, beginning: str = "") -> dict[str, dict[str, Any]]:
    """Return the properties of a type's resources by logical id."""
    found = template.of_type(kind).items()
    return {name: each["Properties"] for name, each in found if name.startswith(beginning)}


def only(template: Any, kind: str, beginning: str = "") -> dict[str, Any]:
    """Return the properties of the one resource of a type, as they are once deployed."""
    (found,) = ids(template, kind, beginning).values()
    resolved: dict[str, Any] = template.text(found)
    return resolved


def functions(template: Any, endpoint: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return an endpoint's functions by handler: logical id and properties."""
    found = ids(template, "AWS::Lambda::Function", f"Endpoint{endpoint}").items()
    return {each["Handler"].split(".")[-2]: (name, each) for name, each in found}


def aliases(template: Any, endpoint: str) -> dict[str, str]:
    """Return logical ids of the aliases of an endpoint's functions, by handler."""
    handlers = {name: handler for handler, (name, _) in functions(template, endpoint).items()}
    found = ids(template, "AWS::Lambda::Alias", f"Endpoint{endpoint}").items()
    return {handlers[each["FunctionName"]["Ref"]]: name for name, each in found}


def may(template: Any, role: str) -> dict[str, dict[str, Any]]:
    """Return a role's statements by their names."""
    return {each["Sid"]: each for each in template.statements(role)}


def variables(template: Any, endpoint: str, handler: str) -> dict[str, str]:
    """Return what a function is told, with samples for what is known only when deployed."""
    _, function = functions(template, endpoint)[handler]
    return {name: _sampled(text) for name, text in template.text(function["Environment"]["Variables"]).items()}


def is_called(handler: str) -> bool:
    """Return whether the API calls a function, and hence its alias; events and messages reach the others."""
    return handler not in ("work", "stream", "batch", "load", "follow")


def settings(template: Any, endpoint: str, handler: str = "predict") -> Settings:
    return Settings.read(variables(template, endpoint, handler)[contract.ENV_FRONT_DOOR])


def _sampled(text: str) -> str:
    place = re.sub(r"<\w+\.Endpoint\.Port>", "6379", re.sub(r"<\w+\.Endpoint\.Address>", HOST, text))
    return re.sub(r"<(\w+)>", lambda found: sample(found[1]), place)


def sample(logical_id: str) -> str:
    """Return an identifier as long as those that AWS makes; queues bear the longest names that there are."""
    if "Queue" in logical_id:
        return f"https://sqs.ap-southeast-2.amazonaws.com/123456789012/{logical_id[:80]:x<80}"
    return f"{logical_id[-10:]}"


def statements(template: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every statement of every role's policy, with the logical id of the policy."""
    for name, policy in ids(template, "AWS::IAM::Policy").items():
        for statement in template.text(policy["PolicyDocument"]["Statement"]):
            yield name, statement
