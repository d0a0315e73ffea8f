"""What a front door cannot ask for, each with the reason and the way out."""

import json
from collections.abc import Callable, Iterator

from lambdas.inference.jobs import lasting
from lambdas.rollout.policy.checks import PolicyError
from lambdas.rollout.policy.windows import zone
from stacks.config.caching import Caching
from stacks.config.front_door import FrontDoor
from stacks.config.instances import has_gpu
from stacks.config.model import Endpoint
from stacks.config.problems import Problem

_CALLER_ATTRIBUTES = ("client", "caller")
_LONGEST_SETTINGS = 2_500
"""Bytes; a function's environment variables have 4,096 in all, names and addresses among them."""

_FIVE_MINUTES = 300
_LARGEST_PAYLOADS = 100
"""Megabytes that are on their way to an instance at a time."""

_LEAST_SUBNETS = 2

_INSTANCE_SECONDS = 900
"""That an attempt at a job must be able to wait, where an instance may have to be started for it."""

_KEY_ID = "0123456789"
"""As long as the identifiers that AWS gives API keys."""


def front_door_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Yield what an endpoint's front door asks that cannot be had; the paths begin below the endpoint."""
    if endpoint.front_door is None:
        return
    found = [problem for rule in _RULES for problem in rule(endpoint.front_door)]
    for problem in (*found, *_of_jobs_endpoint(endpoint)):
        yield problem.under("front_door")


def _of_jobs_endpoint(endpoint: Endpoint) -> Iterator[Problem]:
    """The same image runs on both."""
    jobs = endpoint.front_door.jobs if endpoint.front_door is not None else None
    chosen = jobs.asynchronous.instance_type if jobs is not None and jobs.asynchronous is not None else None
    if chosen is not None and has_gpu(chosen) != endpoint.fleet.has_gpu:
        reason = f"the image is the endpoint's, which runs on {endpoint.fleet.instance_type}"
        yield Problem(
            "jobs.asynchronous.instance_type", chosen, reason, "choose one of its kind: with a GPU or without"
        )


def _tokens(door: FrontDoor) -> Iterator[Problem]:
    if door.auth == "jwt" and door.tokens is None:
        yield Problem("tokens", None, "with auth: jwt callers bring tokens", "add tokens: with issuer and audience")
    if door.auth != "jwt" and door.tokens is not None:
        yield Problem("tokens", door.tokens.issuer, f"with auth: {door.auth} nobody brings one", "remove tokens:")


def _clients(door: FrontDoor) -> Iterator[Problem]:
    names = [client.name for client in door.clients]
    for index, client in enumerate(door.clients):
        path = f"clients[{index}]"
        if names.index(client.name) != index:
            yield Problem(f"{path}.name", client.name, "another client has that name", "choose another")
        if door.auth == "iam" and client.monthly_requests is not None:
            reason = "callers known by IAM have no usage plan, so nothing counts their requests"
            yield Problem(f"{path}.monthly_requests", client.monthly_requests, reason, "remove it, or use api_key")


def _identities(door: FrontDoor) -> Iterator[Problem]:
    identities = [client.identity for client in door.clients]
    for index, identity in enumerate(identities):
        path = f"clients[{index}].identity"
        if door.auth == "api_key" and identity is not None:
            yield Problem(path, identity, "its API key is its identity", "remove identity:")
        elif door.auth != "api_key" and identity is None:
            reason = f"with auth: {door.auth} a client is known by it"
            known_by = "the ARN of its role or user" if door.auth == "iam" else "the value of the client claim"
            yield Problem(path, None, reason, f"add {known_by}")
        elif identity is not None and identities.index(identity) != index:
            yield Problem(path, identity, "another client is known by it", "choose another")


def _firewall(door: FrontDoor) -> Iterator[Problem]:
    """The firewall knows addresses, not clients: it must let through what the usage plans allow."""
    most = _FIVE_MINUTES * max(client.requests_per_second for client in door.clients)
    if door.firewall_requests < most:
        reason = f"a client at one address may send {most} in five minutes, by its requests_per_second"
        yield Problem("firewall_requests", door.firewall_requests, reason, f"raise it to {most}")


def _warmth(door: FrontDoor) -> Iterator[Problem]:
    ready = door.provisioned
    if ready is None:
        return
    if door.keep_warm:
        yield Problem("keep_warm", True, "with provisioned: instances are ready anyhow", "remove keep_warm:")
    if ready.least > ready.most:
        yield Problem("provisioned.least", ready.least, f"at most {ready.most} are kept ready", "lower it")
    hours = ready.working_hours
    if hours is not None and not ready.least <= hours.least <= ready.most:
        reason = f"it must be from {ready.least} (least) to {ready.most} (most)"
        yield Problem("provisioned.working_hours.least", hours.least, reason, "change it, or those")
    if hours is not None and hours.begin >= hours.end:
        reason = "working hours end on the day they begin, after they began"
        yield Problem("provisioned.working_hours.end", hours.end, reason, f"write a time after {hours.begin}")
    if hours is not None:
        yield from _time_zone(hours.time_zone)


def _time_zone(name: str) -> Iterator[Problem]:
    try:
        zone(name)
    except PolicyError as error:
        yield Problem("provisioned.working_hours.time_zone", name, error.allowed, error.way_out)


def _cache(door: FrontDoor) -> Iterator[Problem]:
    cache = door.cache
    if cache is not None and cache.stale_seconds < cache.seconds:
        reason = f"an answer is fresh for {cache.seconds} s (cache.seconds), and no shorter kept"
        yield Problem("cache.stale_seconds", cache.stale_seconds, reason, f"raise it to {cache.seconds}")


def _store(door: FrontDoor) -> Iterator[Problem]:
    cache = door.cache
    if door.keeps_in_memory:
        if door.network is None:
            reason = "a cache in memory (cache.store: valkey) is reached from within a VPC only"
            yield Problem("network", None, reason, "add network: with vpc and subnets")
        return
    if door.network is not None:
        reason = "only a cache in memory (cache.store: valkey) needs one"
        yield Problem("network", door.network.vpc, reason, "remove network:")
    if cache is not None:
        for name in ("valkey_gigabytes", "valkey_units_per_second"):
            value = getattr(cache, name)
            if value != getattr(Caching, name):
                reason = f"it limits a cache in memory, and answers are kept in {cache.store}"
                yield Problem(f"cache.{name}", value, reason, "remove it, or write store: valkey")


def _network(door: FrontDoor) -> Iterator[Problem]:
    if door.network is None:
        return
    subnets = door.network.subnets
    if len(subnets) < _LEAST_SUBNETS:
        reason = f"a zone may fail: {_LEAST_SUBNETS} subnets or more are needed, each in another availability zone"
        yield Problem("network.subnets", list(subnets), reason, "add one")
    for index, subnet in enumerate(subnets):
        if subnets.index(subnet) != index:
            yield Problem(f"network.subnets[{index}]", subnet, "it stands there twice", "write another")


def _default_answer(door: FrontDoor) -> Iterator[Problem]:
    if door.default_answer is None:
        return
    try:
        # NaN and the infinities are no JSON, and no caller could read them.
        fits = isinstance(json.loads(door.default_answer, parse_constant=_refuse), dict)
    except ValueError:
        fits = False
    if not fits:
        reason = "it must be a JSON object, the answer to one row"
        yield Problem("default_answer", door.default_answer, reason, """write it like '{"rain": 0}'""")


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _segments(door: FrontDoor) -> Iterator[Problem]:
    known = (*_CALLER_ATTRIBUTES, *(door.tokens.attributes if door.tokens is not None else ()))
    for index, rule in enumerate(door.segments):
        if rule.attribute not in known:
            reason = f"callers have the attributes {', '.join(known)}"
            way_out = "name one of them, or add it to tokens.attributes"
            yield Problem(f"segments[{index}].attribute", rule.attribute, reason, way_out)


def _jobs(door: FrontDoor) -> Iterator[Problem]:
    jobs = door.jobs
    if jobs is None or jobs.asynchronous is None:
        return
    most = lasting.most_attempts(jobs.keep_days, _INSTANCE_SECONDS, door.timeout_seconds)
    if jobs.attempts > most:
        reason = f"all must end within keep_days, and wait {_INSTANCE_SECONDS // 60} minutes each for an instance"
        yield Problem("jobs.attempts", jobs.attempts, reason, f"lower it to {most}, or raise jobs.keep_days")


def _batch(door: FrontDoor) -> Iterator[Problem]:
    batch = door.batch
    if batch is not None and batch.payload_megabytes * batch.concurrent > _LARGEST_PAYLOADS:
        reason = f"payload_megabytes times concurrent must not exceed {_LARGEST_PAYLOADS}, says SageMaker"
        yield Problem("batch.concurrent", batch.concurrent, reason, "lower it, or payload_megabytes")


def _served(door: FrontDoor) -> Iterator[Problem]:
    batch = door.batch
    if batch is not None and batch.serve is not None and batch.accept != batch.content_type:
        reason = f"with serve: keys of {batch.content_type} are joined to answers of the same kind only"
        yield Problem("batch.accept", batch.accept, reason, f"write {batch.content_type}, or remove serve:")


def _readers(door: FrontDoor) -> Iterator[Problem]:
    if door.batch is None or door.batch.serve is None:
        return
    names, readers = [client.name for client in door.clients], door.batch.serve.clients
    if len(names) > 1 and not readers:
        reason = "whoever asks by key gets the answer under any key, and there are several clients"
        yield Problem("batch.serve.clients", [], reason, f"name those that may: {', '.join(names)}")
    for index, reader in enumerate(readers):
        if reader not in names:
            field = f"batch.serve.clients[{index}]"
            yield Problem(field, reader, "it is none of the clients", f"write one of {', '.join(names)}")


def _size(door: FrontDoor) -> Iterator[Problem]:
    """All of it is one environment variable of a function."""
    told = [
        *({client.identity or _KEY_ID: (client.name, "tester", client.tester)} for client in door.clients),
        *(vars(rule) for rule in door.segments),
        (vars(door.tokens), door.tokens.issuer) if door.tokens is not None else "",
        door.default_answer,
        door.audit.redacted_columns if door.audit is not None else (),
        {"readers": door.batch.serve.clients} if door.batch is not None and door.batch.serve is not None else "",
    ]
    size = len(json.dumps(told, ensure_ascii=False).encode())
    if size > _LONGEST_SETTINGS:
        parts = "clients, tokens, segments, redacted columns and the default answer"
        reason = f"{parts} may have {_LONGEST_SETTINGS} bytes in all"
        yield Problem("clients", f"{size} bytes", reason, "make them fewer or shorter")


_RULES: tuple[Callable[[FrontDoor], Iterator[Problem]], ...] = (
    _tokens,
    _clients,
    _identities,
    _firewall,
    _warmth,
    _cache,
    _store,
    _network,
    _default_answer,
    _segments,
    _jobs,
    _batch,
    _served,
    _readers,
    _size,
)
