"""door: where an endpoint's API is, and how to call it."""

from __future__ import annotations

import argparse
from typing import Any

from rich.text import Text

from tidegate.commands.context import Context, open_context
from tidegate.errors import OperatorError
from tidegate.front_door import FrontDoor, api_key, front_door

_HELP = "show where the endpoint's front door is, and how to call it"
_KEY = "print the API key of this client of front_door.clients, and nothing else"
_SHOWN = {
    "api_key": "each request brings the key of a client in X-Api-Key: python -m tidegate door --key CLIENT",
    "iam": "each request is signed by AWS Signature Version 4 for the service execute-api",
    "jwt": "each request brings a token of the issuer in Authorization: Bearer",
}


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("door", parents=[common], help=_HELP, description=_HELP)
    parser.add_argument("--key", metavar="CLIENT", help=_KEY)
    parser.set_defaults(run=lambda arguments: run(open_context(arguments), arguments.key))


def run(context: Context, client: str | None) -> int:
    """Show where the front door is, or a client's API key."""
    found = door_of(context)
    if client is not None:
        key = api_key(context.aws, context.endpoint, client)
        context.show(key_document(client, key), key)
        return 0
    context.show(document(found), _described(found))
    return 0


def document(found: FrontDoor) -> dict[str, Any]:
    """Return all that the deployment says of a front door."""
    return {**found.described, "url": found.url}


def key_document(client: str, key: str) -> dict[str, str]:
    """Return a client's API key."""
    return {"client": client, "api_key": key}


def door_of(context: Context) -> FrontDoor:
    """Return the endpoint's front door.

    Raises
    ------
    OperatorError
        When it has none.
    """
    found = front_door(context.aws, context.endpoint)
    if found is None:
        raise OperatorError(
            f"{context.endpoint.name} has no front door: applications call SageMaker",
            f"add front_door: to the endpoint in environments/{context.endpoint.environment}.yaml, and deploy",
        )
    return found


def _described(found: FrontDoor) -> Text:
    return Text(f"{found.url}\n{_SHOWN[found.auth]}\n{found.url}schema says what it takes")
