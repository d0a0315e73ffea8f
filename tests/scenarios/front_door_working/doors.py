"""An environment whose front doors each have another story."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambdas.rollout.policy import Step
from stacks.config import Endpoint, Environment
from stacks.config.batches import Batches, Serving
from stacks.config.caching import Caching, Network
from stacks.config.callers import Client, SegmentRule
from stacks.config.front_door import Audit, Breaking, FrontDoor, Streaming
from stacks.config.job_queue import JobQueue
from tests.scenarios import environments

KEPT, MEMORY, STICKY, QUEUED = "kept", "memory", "sticky", "queued"
"""Endpoints: one whose answers are kept in the table, also those of batches, one whose are in Valkey, one whose callers
keep to a version, and one with jobs, a stream and batches."""

SHOP, EAGER, TESTER = "shop", "eager", "tester"
"""Clients of each."""

CAREFUL = "careful"
"""A caller whom a rule of `STICKY` keeps at the live version; `EAGER` is sent to the candidate."""

DEFAULT = '{"rain": 0, "probability": 0.2}'
FRESH_SECONDS, STALE_SECONDS = 600, 3600
FAILURES, OPEN_SECONDS = 3, 3
REDACTED = "dew_point"
ATTEMPTS = 2
KEYED_DAYS = 3
UNTIL_TOLD = 900
"""Seconds that a step lasts unless an operator ends it: longer than any test."""


def at_work() -> Environment:
    """Return the environment."""
    local = environments.quick()
    (rain,) = local.endpoints
    endpoints = (
        _at_once(
            replace(rain, name=KEPT, front_door=_door(cache=_CACHE, default_answer=DEFAULT, audit=_AUDIT, batch=_KEYED))
        ),
        _at_once(replace(rain, name=MEMORY, front_door=_door(cache=_IN_MEMORY, network=_NETWORK))),
        _stepping(replace(rain, name=STICKY, front_door=_door(sticky=True, segments=_RULES))),
        # Whoever waits for a model that hangs can be killed meanwhile, however slow the machine is.
        replace(rain, name=QUEUED, front_door=_door(timeout_seconds=25, jobs=_JOBS, stream=_STREAM, batch=Batches())),
    )
    return replace(local, endpoints=endpoints)


def _door(timeout_seconds: int = 5, **more: Any) -> FrontDoor:
    clients = (Client(SHOP, **_PLENTY), Client(EAGER, **_PLENTY), Client(TESTER, tester=True, **_PLENTY))
    breaker = Breaking(failures=FAILURES, open_seconds=OPEN_SECONDS)
    return FrontDoor("api_key", clients, timeout_seconds=timeout_seconds, breaker=breaker, **_PLENTY, **more)


def _at_once(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, rollout=replace(endpoint.rollout, steps=(Step(100),)))


def _stepping(endpoint: Endpoint) -> Endpoint:
    steps = (Step(10, bake_seconds=UNTIL_TOLD), Step(50, bake_seconds=UNTIL_TOLD), Step(100))
    patient = replace(endpoint.rollout, steps=steps, progress_deadline_seconds=4 * UNTIL_TOLD)
    return replace(endpoint, rollout=patient)


_PLENTY: Mapping[str, Any] = {"requests_per_second": 5_000, "burst": 5_000}
_CACHE = Caching(seconds=FRESH_SECONDS, stale_seconds=STALE_SECONDS)
_IN_MEMORY = replace(_CACHE, store="valkey")
_NETWORK = Network("vpc-0123456789abcdef0", ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1"))
_AUDIT = Audit(keep_input=True, redacted_columns=(REDACTED,))
_RULES = (SegmentRule("client", (EAGER,), "candidate"), SegmentRule("caller", (CAREFUL,), "live"))
_JOBS = JobQueue(attempts=ATTEMPTS, keep_days=1, at_once=2)
_KEYED = Batches(serve=Serving(keep_days=KEYED_DAYS, clients=(SHOP,)))
_STREAM = Streaming(batch_records=20, window_seconds=0)
