"""list: every endpoint of an environment, a line each."""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tidegate import documents, snapshot, views
from tidegate.aws_errors import FAILURES, in_words
from tidegate.commands.context import Environment, open_environment_context
from tidegate.settings import EndpointSettings

WORKERS = 8


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the parser."""
    text = "list the environment's endpoints: what is live, and where their rollouts stand"
    parser = commands.add_parser("list", parents=[common], help=text, description=text)
    parser.set_defaults(run=lambda arguments: list_endpoints(open_environment_context(arguments)))


def list_endpoints(environment: Environment) -> int:
    """List the endpoints; the exit status is 1 when one of them could not be looked at."""
    aws = environment.aws
    # Made here, because boto3 makes clients for one thread at a time only.
    _ = aws.sagemaker, aws.dynamodb
    with ThreadPoolExecutor(WORKERS) as pool:
        rows = list(pool.map(lambda endpoint: _row(environment, endpoint), environment.endpoints))
    environment.show(rows, views.endpoints_table(rows))
    return int(any(row["error"] for row in rows))


def _row(environment: Environment, endpoint: EndpointSettings) -> dict[str, Any]:
    try:
        return documents.row(snapshot.glance(environment.aws, endpoint, environment.of(endpoint).versions, time.time()))
    except FAILURES as error:
        return documents.lost_row(endpoint.name, in_words(error))
