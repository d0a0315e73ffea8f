"""What a front door's functions are told, as `lambdas.inference.settings` reads it."""

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack

from lambdas.contract import BATCH_INPUT_PREFIX
from stacks.config.batches import Batches
from stacks.config.caching import Caching
from stacks.config.callers import Client, Tokens
from stacks.config.front_door import Audit, FrontDoor
from stacks.config.job_queue import JobQueue
from stacks.constructs.front_door.switches import Switches

_MEGABYTE = 1024 * 1024
_SHORTEST_ROW = 2
"""Bytes: a cell and the end of the line."""


def settings_of(
    stack: Stack,
    *,
    endpoint_name: str,
    door: FrontDoor,
    key_ids: Mapping[str, str],
    switches: Switches | None,
    cache: Mapping[str, str] | None,
) -> str:
    """Return the settings as JSON; the identifiers in it are known only when deployed."""
    return stack.to_json_string(
        {
            "endpoint": endpoint_name,
            "auth": door.auth,
            "clients": {key_ids.get(each.name, each.identity): _client(each) for each in door.clients},
            "timeout_seconds": door.timeout_seconds,
            "largest_body_bytes": door.largest_body_kilobytes * 1024,
            "most_rows": door.most_rows,
            "sticky": door.sticky,
            "segments": [
                {"attribute": rule.attribute, "values": list(rule.values), "send": rule.send} for rule in door.segments
            ],
            "breaker": {"failures": door.breaker.failures, "open_seconds": door.breaker.open_seconds},
            **_optional(door, endpoint_name, switches, cache),
        }
    )


def _client(client: Client) -> dict[str, Any]:
    return {"name": client.name, **({"tester": True} if client.tester else {})}


def _optional(
    door: FrontDoor, endpoint_name: str, switches: Switches | None, in_memory: Mapping[str, str] | None
) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if door.tokens is not None:
        parts["jwt"] = _tokens(door.tokens)
    if door.cache is not None:
        parts["cache"] = _caching(door.cache, in_memory)
    if door.jobs is not None:
        parts["jobs"] = _jobs(door.jobs)
    if door.batch is not None:
        parts["batch"] = _batch(door, door.batch, endpoint_name)
    if door.audit is not None:
        parts["audit"] = _audit(door.audit)
    if door.cors_origins:
        parts["cors_origins"] = list(door.cors_origins)
    if door.default_answer is not None:
        parts["default_answer"] = json.loads(door.default_answer)
    if switches is not None:
        parts["flags"] = {
            "application": switches.application,
            "environment": switches.environment,
            "profile": switches.profile,
        }
    return parts


def _audit(audit: Audit) -> dict[str, Any]:
    kept = {} if audit.keep_output else {"keep_output": False}
    return {"keep_input": audit.keep_input, **kept, "redacted": list(audit.redacted_columns)}


def _caching(caching: Caching, in_memory: Mapping[str, str] | None) -> dict[str, Any]:
    told = {"seconds": caching.seconds, "stale_seconds": caching.stale_seconds}
    return {**told, **({"valkey": dict(in_memory)} if in_memory is not None else {})}


def _jobs(jobs: JobQueue) -> dict[str, Any]:
    own = jobs.asynchronous
    if own is None:
        return {"attempts": jobs.attempts, "keep_days": jobs.keep_days}
    asynchronous: dict[str, Any] = {
        "most_instances": own.most_instances,
        "concurrent": own.concurrent,
        "idle_minutes": own.idle_minutes,
        **({"instance_type": own.instance_type} if own.instance_type is not None else {}),
    }
    return {"attempts": jobs.attempts, "keep_days": jobs.keep_days, "asynchronous": asynchronous}


def _batch(door: FrontDoor, batch: Batches, endpoint_name: str) -> dict[str, Any]:
    readers = batch.serve and (batch.serve.clients or [client.name for client in door.clients])
    return {
        "instance_type": batch.instance_type,
        "instances": batch.instances,
        "input": f"{BATCH_INPUT_PREFIX}/{endpoint_name}/",
        "content_type": batch.content_type,
        "accept": batch.accept,
        "payload_megabytes": batch.payload_megabytes,
        "most_rows": batch.payload_megabytes * _MEGABYTE // _SHORTEST_ROW,
        "concurrent": batch.concurrent,
        "attempts": batch.attempts,
        **({"serve_days": batch.serve.keep_days, "readers": list(readers or ())} if batch.serve is not None else {}),
    }


def _tokens(tokens: Tokens) -> dict[str, Any]:
    issuer = tokens.issuer.rstrip("/")
    return {
        "issuer": tokens.issuer,
        "audience": tokens.audience,
        "jwks_url": tokens.jwks_url or f"{issuer}/.well-known/jwks.json",
        "client_claim": tokens.client_claim,
        "tester_scope": tokens.tester_scope,
        "attributes": list(tokens.attributes),
    }
