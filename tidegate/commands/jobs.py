"""jobs list, show, dead, redrive: requests that an endpoint answers later."""

from __future__ import annotations

import argparse
import heapq
import itertools
import time
from collections.abc import Sequence
from typing import Any

from lambdas.inference.jobs.job import Job, Status
from tidegate import jobs, jobs_views
from tidegate.commands.context import Context, open_context
from tidegate.dead_letters import DeadLetter, DeadLetters
from tidegate.errors import OperatorError, UsageError
from tidegate.jobs import Redriven

LIMIT = 50
_EVERY = 100_000
"""More than SQS lets anybody hold at a time."""

_HELP = {
    "list": "list the latest jobs; reads the whole table of the environment's front doors",
    "show": "show how a job stands, and why",
    "dead": "list the dead letters: jobs that failed though nothing was wrong with them, and why",
    "redrive": "queue failed jobs again, with all their attempts, and delete their dead letters",
}


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    parser = commands.add_parser("jobs", help="see the jobs of an endpoint, and queue failed ones again")
    orders = parser.add_subparsers(required=True)
    made = {
        name: orders.add_parser(name, parents=[common], help=text, description=text) for name, text in _HELP.items()
    }
    statuses = [status.value for status in Status]
    made["list"].add_argument("--status", choices=statuses, help="only those that stand so")
    for name in ("list", "dead"):
        made[name].add_argument("--limit", type=_limit, default=LIMIT, metavar="N", help=f"most (default: {LIMIT})")
    made["dead"].add_argument(
        "--discard", action="store_true", help="delete those that name no job of the endpoint, and list only them"
    )
    made["show"].add_argument("id", help="the job's id")
    made["redrive"].add_argument("ids", nargs="*", metavar="id", help="jobs' ids")
    made["redrive"].add_argument("--all", action="store_true", help="all that have dead letters")
    made["list"].set_defaults(run=lambda given: list_jobs(open_context(given), given.status, given.limit))
    made["show"].set_defaults(run=lambda given: show(open_context(given), given.id))
    made["dead"].set_defaults(run=_dead)
    made["redrive"].set_defaults(run=_redrive)


def _limit(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"it is {text!r}: give a whole number from 1 on")
    return int(text)


def _redrive(given: argparse.Namespace) -> int:
    if bool(given.ids) == given.all:
        raise UsageError("which jobs?", "give their ids, or --all for all that have dead letters")
    return redrive(open_context(given), None if given.all else list(given.ids), time.time())


def _dead(given: argparse.Namespace) -> int:
    return (discard if given.discard else dead)(open_context(given), given.limit)


def list_jobs(context: Context, status: str | None, limit: int) -> int:
    """List the latest jobs."""
    found = (job for job in jobs.all_of(context.aws, context.endpoint) if status in (None, job.status.value))
    latest = heapq.nlargest(limit, found, key=lambda job: (job.created_at, job.id))
    bucket = context.endpoint.artefact_bucket
    context.show([jobs_views.document(job, bucket) for job in latest], jobs_views.jobs_table(latest))
    return 0


def show(context: Context, identity: str) -> int:
    """Show a job."""
    job = _found(context, identity)
    bucket = context.endpoint.artefact_bucket
    context.show(jobs_views.document(job, bucket), jobs_views.job_text(job, bucket))
    return 0


def _found(context: Context, identity: str) -> Job:
    job = jobs.find(context.aws, context.endpoint, identity)
    if job is None:
        raise OperatorError(
            f"{context.endpoint.name} has no job {identity!r}, or keeps it no longer",
            f"list them: {context.endpoint.command('jobs list')}",
        )
    return job


def dead(context: Context, limit: int) -> int:
    """List the dead letters; they stay where they are."""
    with DeadLetters(context.aws, context.endpoint) as letters:
        found = list(letters.read(limit))
    return _show_letters(context, found)


def discard(context: Context, limit: int) -> int:
    """Delete dead letters that name no job, of which nothing can be queued again, and list them."""
    with DeadLetters(context.aws, context.endpoint) as letters:
        nameless = (letter for letter in letters.read(_EVERY) if not letter.job)
        found = list(itertools.islice(nameless, limit))
        for letter in found:
            letters.delete(letter)
    return _show_letters(context, found)


def _show_letters(context: Context, found: Sequence[DeadLetter]) -> int:
    context.show([jobs_views.letter_document(letter) for letter in found], jobs_views.letters_table(found))
    return 0


def redrive(context: Context, identities: list[str] | None, now: float) -> int:
    """Queue jobs again, all that have dead letters where none are named; `now` is in epoch seconds.

    The exit status is 1 when one of them was left alone, or one that is named is not there.
    """
    told: dict[str, Redriven] = {}
    with DeadLetters(context.aws, context.endpoint) as letters:
        # All are read before a job is queued: one that fails again at once has a new letter, which must stay.
        found = [letter for letter in letters.read(_EVERY) if letter.job]
        for identity in dict.fromkeys([letter.job for letter in found] if identities is None else identities):
            told[identity] = jobs.redrive(context.aws, context.endpoint, identity, now)
        for letter in found:
            if letter.job in told and told[letter.job].settled:
                letters.delete(letter)
    outcomes = list(told.items())
    context.show(jobs_views.redriven_document(outcomes), jobs_views.redriven_text(outcomes))
    named = identities is not None
    return int(any(not what.settled or (named and what is Redriven.GONE) for what in told.values()))
