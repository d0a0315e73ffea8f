"""erase: takes what is kept of a subject's predictions away."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lambdas.inference.jobs.job import Job
from tidegate import erasing_answers, erasing_audit, erasing_jobs, views
from tidegate.answers import Pace
from tidegate.commands.context import Context, open_context
from tidegate.console import make_error_console
from tidegate.erasing_audit import Audit
from tidegate.erasing_job import Report, machine_of
from tidegate.erasing_jobs import Erased
from tidegate.errors import RefusedError, UsageError

_HELP = "take what is kept of a subject's predictions away: its rows of the audit, its jobs, the answer under its key"
_TOLD_EVERY_SECONDS = 30.0
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Outcome:
    """What was taken away: by the job of that name, empty where there was no audit; and `purged` old versions.

    `answered` says whether a batch's answer lay under the subject's key.
    """

    job: str
    report: Report
    purged: int
    jobs: Erased
    not_filed: int
    answered: bool = False

    @property
    def complete(self) -> bool:
        """Return whether nothing was left."""
        return not (self.jobs.left or self.report.unreadable or self.not_filed)


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("erase", parents=[common], help=_HELP, description=_HELP)
    parser.add_argument("--subject", required=True, type=_subject, help="as Tidegate-Subject named it, exactly")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(run=lambda given: run(open_context(given), given.subject, time.time(), sure=given.yes))


def _subject(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty: give what Tidegate-Subject named")
    return text


def run(context: Context, subject: str, now: float, *, sure: bool, pace: Pace | None = None) -> int:
    """Take a subject's predictions away; `now` is in epoch seconds. The exit status is 1 when something was left."""
    aws, endpoint = context.aws, context.endpoint
    audit, jobs = erasing_audit.look(aws, endpoint), erasing_jobs.of_subject(aws, endpoint, subject)
    if not sure:
        _ask(_plan(endpoint.name, audit, jobs))
    outcome = _erase(context, subject, audit, jobs, now, pace or Pace())
    context.show(document(context, subject, outcome), told(outcome))
    return 0 if outcome.complete else 1


def _erase(context: Context, subject: str, audit: Audit, jobs: list[Job], now: float, pace: Pace) -> Outcome:
    aws, endpoint = context.aws, context.endpoint
    gone = erasing_jobs.erase(aws, endpoint, jobs, now)
    answered = erasing_answers.erase(aws, endpoint, subject)
    name, report = "", Report()
    if audit.files:
        machine, tick = machine_of(aws, endpoint), _teller(quiet=context.json)
        name, report = erasing_audit.erase(aws, endpoint, machine, subject, audit.size, tick, pace)
    return Outcome(name, report, erasing_audit.purge(aws, endpoint), gone, audit.not_filed, answered)


def _plan(name: str, audit: Audit, jobs: list[Job]) -> str:
    files, megabytes = views.count(len(audit.files), "file"), audit.size / _MEGABYTE
    asked = views.count(len(jobs), "job")
    rows = f"all rows of the subject in {files} ({megabytes:.1f} MB) of its audit, which will be searched"
    return (
        f"{asked} of {name} will be deleted for good, the answer of a batch under its key if there is one, and {rows}"
    )


def _ask(plan: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(f"{plan}; nobody is there to be asked", "give --yes to have it done")
    if input(f"{plan}. Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise RefusedError("nothing was erased", "answer y, or give --yes")


def _teller(*, quiet: bool) -> Callable[[str, float], None]:
    """Return what tells now and then how the job stands."""
    console, next_at = make_error_console(), 0.0

    def tell(status: str, seconds: float) -> None:
        nonlocal next_at
        if quiet or seconds < next_at:
            return
        next_at = seconds + _TOLD_EVERY_SECONDS
        console.print(f"the job that erases is {status} ({seconds:.0f} s)", soft_wrap=True)

    return tell


def document(context: Context, subject: str, outcome: Outcome) -> dict[str, Any]:
    """Return what was taken away, and what was left."""
    return {
        "endpoint": context.endpoint.name,
        "subject": subject,
        "job": outcome.job or None,
        "files": outcome.report.files,
        "rows": outcome.report.rows,
        "files_changed": len(outcome.report.changed or {}),
        "rows_erased": outcome.report.erased,
        "versions_deleted": outcome.purged,
        "jobs_erased": outcome.jobs.jobs,
        "answer_erased": outcome.answered,
        "jobs_left": list(outcome.jobs.left),
        "unreadable": list(outcome.report.unreadable),
        "not_filed": outcome.not_filed,
    }


def told(outcome: Outcome) -> str:
    """Return what was taken away, what was left, and what may still come, in words."""
    report = outcome.report
    rows, changed = views.count(report.erased, "row"), views.count(len(report.changed or {}), "file")
    lines = [
        f"{rows} erased from {changed} of {report.files} ({report.rows} rows looked at)",
        f"{views.count(outcome.jobs.jobs, 'job')} erased, and {outcome.purged} old versions of the audit's files",
        *(["the answer of a batch under its key is erased; the files of batches still have it"] * outcome.answered),
        *_left(outcome),
        "what was asked in the last minutes is still on its way into the audit: give the command again in a quarter "
        "of an hour; the functions' logs keep their lines until they expire",
    ]
    return "\n".join(lines)


def _left(outcome: Outcome) -> list[str]:
    lines = [f"LEFT: the job {each} is just being worked on; give the command again" for each in outcome.jobs.left]
    lines += [f"LEFT: {each} of the audit is no Parquet; look at it yourself" for each in outcome.report.unreadable]
    if outcome.not_filed:
        lines.append(f"LEFT: {outcome.not_filed} files of records that could not be filed, below audit-errors/: look")
    return lines
