"""The ``tidegate`` command: its parser, and how failures are told."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError
from rich.text import Text

from tidegate import aws_errors
from tidegate.commands import (
    approving,
    batch,
    door,
    drift,
    erase,
    freezing,
    jobs,
    judge,
    labels,
    listing,
    local,
    models,
    packages,
    plan,
    progress,
    rehearse,
    replay,
    retrain,
    steering,
    switch,
)
from tidegate.commands.context import common_options
from tidegate.console import make_error_console
from tidegate.errors import OperatorError
from tidegate.parser import EXIT_STATUSES, Parser, wants_json

INTERRUPTED = 130
_ON_ENVIRONMENTS = (
    packages,
    models,
    approving,
    listing,
    progress,
    steering,
    freezing,
    plan,
    rehearse,
    judge,
    labels,
    drift,
    retrain,
    door,
    switch,
    jobs,
    erase,
    batch,
)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = Parser(
        prog="python -m tidegate",
        description="Put model versions on SageMaker endpoints, a little traffic at a time.",
        epilog=f"Approving a version is what deploys it: register, approve, watch.\n\n{EXIT_STATUSES}",
    )
    commands = parser.add_subparsers(metavar="command", required=True)
    common = common_options()
    for module in _ON_ENVIRONMENTS:
        module.add_to(commands, common)
    replay.add_to(commands)
    local.add_to(commands)
    return parser


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit status, as `EXIT_STATUSES` says."""
    try:
        arguments = build_parser().parse_args(argv)
        return int(arguments.run(arguments))
    except OperatorError as error:
        return _tell(error, as_json=wants_json(argv))
    except (BotoCoreError, ClientError) as error:
        return _tell(aws_errors.explain(error), as_json=wants_json(argv))
    except KeyboardInterrupt:
        return INTERRUPTED


def _tell(error: OperatorError, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": error.message, "next": error.hint or None}, ensure_ascii=False), file=sys.stderr)
        return error.exit_status
    console = make_error_console()
    console.print(Text.assemble(("error: ", "bold red"), error.message), soft_wrap=True)
    if error.hint:
        console.print(Text.assemble(("next:  ", "bold"), error.hint), soft_wrap=True)
    return error.exit_status
