"""The ``tidegate`` command: its parser, and how failures are told."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from tidegate import aws_errors
from tidegate.commands import local, packages, progress
from tidegate.commands.context import common_options
from tidegate.errors import OperatorError

INTERRUPTED = 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="tidegate",
        description="Put model versions on SageMaker endpoints, a little traffic at a time.",
        epilog="Approving a version is what deploys it: register, approve, watch.",
    )
    commands = parser.add_subparsers(metavar="command", required=True)
    common = common_options()
    packages.add_to(commands, common)
    progress.add_to(commands, common)
    local.add_to(commands)
    return parser


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit status: 0 done, 1 failed, 2 wrongly asked."""
    arguments = build_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except OperatorError as error:
        return _tell(error)
    except (BotoCoreError, ClientError) as error:
        return _tell(aws_errors.explain(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def _tell(error: OperatorError) -> int:
    console = Console(stderr=True)
    console.print(Text.assemble(("error: ", "bold red"), error.message), soft_wrap=True)
    if error.hint:
        console.print(Text.assemble(("next:  ", "bold"), error.hint), soft_wrap=True)
    return error.exit_status
