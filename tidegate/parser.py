"""The parser of the command line, which tells what is wrongly asked in the same way as everything else."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from tidegate.errors import UsageError

EXIT_STATUSES = """exit status:
  0    done
  1    failed: AWS said no, nothing is deployed, a run failed as it was started, or no answer
       came in time;
       of list, erase, jobs redrive, models deprecate: something was left, or could not be
       looked at; of local status: it does not run
  2    wrongly asked
  3    refused by the engine or by retraining, with its reason;
       of replay: an invariant still breaks; of plan: it can see nothing at this traffic
  4    the rollout that was waited for did not end in PROMOTED (--wait, watch --until-idle)
  130  interrupted
"""


class Parser(argparse.ArgumentParser):
    """A parser that raises what it finds wrong, and whose help names the exit statuses."""

    def __init__(self, **options: Any) -> None:
        # Abbreviated options would change their meaning when another option is added, under scripts that use them.
        defaults = {"allow_abbrev": False, "formatter_class": argparse.RawDescriptionHelpFormatter}
        super().__init__(**{**defaults, "epilog": EXIT_STATUSES, **options})

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong."""
        raise UsageError(message, f"see: {self.prog} --help")


def output_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that chooses the form of the answer."""
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table", help="form of the answer")


def wants_json(argv: Sequence[str]) -> bool:
    """Return whether JSON is asked for, also on a line that cannot be parsed."""
    words = " ".join(argv)
    return any(form in f" {words} " for form in (" -o json ", " -ojson ", " --output json ", " --output=json "))
