"""Jobs as tables for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lambdas.inference.jobs.job import Job, Status
from tidegate import views
from tidegate.dead_letters import DeadLetter
from tidegate.documents import moment
from tidegate.jobs import Redriven

_STYLES = {Status.DONE: "green", Status.FAILED: "red", Status.RUNNING: "cyan", Status.QUEUED: "yellow"}


def document(job: Job, bucket: str) -> dict[str, Any]:
    """Return what is known of a job; neither its rows nor its answer, nor whom they are about."""
    return {
        "id": job.id,
        "endpoint": job.endpoint,
        "status": job.status.value,
        "client": job.client,
        "caller": job.caller,
        "attempt": job.attempt,
        "created_at": moment(job.created_at),
        "began_at": moment(job.began_at) if job.began_at else None,
        "ended_at": moment(job.ended_at) if job.ended_at else None,
        "reason": job.reason or None,
        "problem": job.problem,
        "model_version": job.model_version or None,
        "input": f"s3://{bucket}/{job.input}",
        "location": f"s3://{bucket}/{job.result}" if job.result else None,
    }


def job_text(job: Job, bucket: str) -> RenderableType:
    """Show all that is known of a job."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in document(job, bucket).items():
        if value is not None and name not in ("problem", "endpoint"):
            grid.add_row(name.replace("_", " "), str(value))
    if job.problem is not None:
        grid.add_row("told", str(job.problem.get("detail", "")))
    return grid


def jobs_table(found: Sequence[Job]) -> RenderableType:
    """Show jobs, a line each."""
    if not found:
        return Text("there are no such jobs")
    table = Table("id", "status", "client", "attempt", "asked for", "reason")
    for job in found:
        status = Text(job.status.value, style=_STYLES[job.status])
        created = views.clock(moment(job.created_at) or "")
        table.add_row(job.id, status, job.client, str(job.attempt), created, job.reason)
    return table


def letter_document(letter: DeadLetter) -> dict[str, Any]:
    """Return what a dead letter says."""
    named = {"job": letter.job or None, "reason": letter.reason, "sent_at": moment(letter.sent_at)}
    return named if letter.job else {**named, "body": letter.body}


def letters_table(letters: Sequence[DeadLetter]) -> RenderableType:
    """Show dead letters, a line each."""
    if not letters:
        return Text("there are no dead letters")
    table = Table("job", "since", "reason")
    for letter in letters:
        since = views.clock(moment(letter.sent_at) or "")
        table.add_row(letter.job or "(names no job)", since, letter.reason)
    return table


def redriven_document(redriven: Sequence[tuple[str, Redriven]]) -> list[dict[str, Any]]:
    """Return what came of queueing jobs again."""
    return [{"job": identity, "outcome": what.name.lower()} for identity, what in redriven]


def redriven_text(redriven: Sequence[tuple[str, Redriven]]) -> str:
    """Return what came of queueing jobs again."""
    if not redriven:
        return "there was nothing to queue again"
    return "\n".join(f"{identity}: {what.value}" for identity, what in redriven)
