"""What a front door's functions are told, as `lambdas.inference.settings` reads it."""

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack

from stacks.config.front_door import Client, FrontDoor, Tokens
from stacks.constructs.front_door.switches import Switches


def settings_of(
    stack: Stack, *, endpoint_name: str, door: FrontDoor, key_ids: Mapping[str, str], switches: Switches | None
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
            **_optional(door, switches),
        }
    )


def _client(client: Client) -> dict[str, Any]:
    return {"name": client.name, **({"tester": True} if client.tester else {})}


def _optional(door: FrontDoor, switches: Switches | None) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if door.tokens is not None:
        parts["jwt"] = _tokens(door.tokens)
    if door.cache is not None:
        parts["cache"] = {"seconds": door.cache.seconds, "stale_seconds": door.cache.stale_seconds}
    if door.jobs is not None:
        parts["jobs"] = {"attempts": door.jobs.attempts, "keep_days": door.jobs.keep_days}
    if door.audit is not None:
        parts["audit"] = {"keep_input": door.audit.keep_input, "redacted": list(door.audit.redacted_columns)}
    if door.default_answer is not None:
        parts["default_answer"] = json.loads(door.default_answer)
    if switches is not None:
        parts["flags"] = {
            "application": switches.application,
            "environment": switches.environment,
            "profile": switches.profile,
        }
    return parts


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
