"""How many front doors a stack holds, which CloudFormation would tell of only when it is given the template."""

from collections.abc import Iterator

from stacks.config.front_door import FrontDoor
from stacks.config.model import Environment
from stacks.config.problems import Problem

RESOURCES_LIMIT = 500
"""Resources of a stack."""

_SHARED = 8
"""Key, table, account settings and lost events, of all front doors together."""

_ALONE = 33
"""A front door that has nothing of what can be left out."""

_CLIENT = 3
"""Key, usage plan, and that they belong together."""

_TOKENS = 8
_WARM = 2
_PROVISIONED = 3
_IN_MEMORY = 7
"""A cache, who may connect to it, who can reach it, and its alarm."""

_SWITCHES = 7
_EMPTYING = 4
"""The function that takes what operators switched away, of all front doors together."""

_JOBS = 22
_JOBS_ENDPOINT = 13
_STREAM = 11
_BATCH = 15
_SERVE = 11
_SCHEDULE = 1
_AUDIT = 11
_AUDITED = 1
"""For each function whose predictions are written down."""


def resources_of(environment: Environment) -> int:
    """Return how many resources the stack of an environment's front doors has."""
    shared = _SHARED + _EMPTYING * environment.has_switches
    return shared + sum(_of(each.front_door) for each in environment.called if each.front_door is not None)


def too_many(environment: Environment) -> Iterator[Problem]:
    """Yield what is wrong where front doors are more than a stack holds."""
    size = resources_of(environment)
    if size > RESOURCES_LIMIT:
        yield Problem(
            "endpoints",
            f"{len(environment.called)} front doors",
            f"a stack holds {RESOURCES_LIMIT} resources, and these are {size}",
            "split the endpoints over two environments",
        )


def _of(door: FrontDoor) -> int:
    routes = (4 if door.jobs is not None else 2) + door.serves_batches
    parts = [
        (_CLIENT * len(door.clients), door.auth != "iam"),
        (_TOKENS, door.auth == "jwt"),
        (routes, bool(door.cors_origins)),
        (_WARM, door.keep_warm),
        (_PROVISIONED, door.provisioned is not None),
        (_IN_MEMORY, door.keeps_in_memory),
        (_SWITCHES, door.switches),
        (_JOBS, door.jobs is not None),
        (_JOBS_ENDPOINT, door.jobs is not None and door.jobs.asynchronous is not None),
        (_STREAM, door.stream is not None),
        (_BATCH, door.batch is not None),
        (_SERVE, door.serves_batches),
        (_SCHEDULE, door.batch is not None and door.batch.schedule_hours is not None),
        (_AUDIT + _AUDITED * _predicting(door), door.audit is not None),
    ]
    return _ALONE + sum(size for size, there in parts if there)


def _predicting(door: FrontDoor) -> int:
    return 1 + (door.jobs is not None) + (door.stream is not None)
