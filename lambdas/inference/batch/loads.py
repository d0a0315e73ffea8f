"""How far a run's answers are loaded, by what has been said of each stretch of each file. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lambdas.inference.batch.loading import Task
from lambdas.inference.batch.objects import Input, Stored, output_key
from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import Run
from lambdas.rollout.errors import PermanentError

RESULT = ".json"
SHOWN_FINDINGS = 100
_COUNTED = ("rows", "loaded", "bad", "repeated", "superseded")

Result = Mapping[str, Any]


def read(contents: Iterable[bytes]) -> list[Result]:
    """Read what has been said.

    Raises
    ------
    PermanentError
        When it cannot be read.
    """
    try:
        return [json.loads(content) for content in contents]
    except ValueError as error:
        raise PermanentError(f"what was said of loading cannot be read: {error}") from error


def in_line(results: Sequence[Result], files: int) -> dict[int, list[Result]]:
    """Return the stretches of each file from its beginning on, each beginning where the one before it ended.

    One that was given up and taken again may have ended elsewhere; what no other leads to does not count.
    """
    found = {(each["file"], each["from"]): each for each in results}
    return {file: _following(found, file) for file in range(files)}


def tasks(plan: Plan, run: Run, recorded: Input, results: Sequence[Result]) -> list[Task]:
    """Return what is left to load."""
    lines = in_line(results, len(recorded.rows_in))
    begun = [_begun(plan, run, recorded, number, each) for number, each in enumerate(recorded.rows_in)]
    return [
        Task(**{**vars(task), "byte": ends[-1]["to"], "line": ends[-1]["lines"]} if ends else vars(task))
        for task in begun
        if not ((ends := lines[task.file]) and ends[-1]["done"])
    ]


def summed_up(plan: Plan, results: Sequence[Result], files: int) -> dict[str, Any]:
    """Return what a run's manifest says of it: how many rows there were, and what became of them."""
    stretches = [each for line in in_line(results, files).values() for each in line]
    counts = {name: sum(int(each[name]) for each in stretches) for name in _COUNTED}
    shown = [{"file": each["file"], **finding} for each in stretches for finding in each["findings"]]
    return {
        "keep_days": plan.batch.serve_days,
        **counts,
        "findings": shown[:SHOWN_FINDINGS],
        "all_findings": [each["all_findings"] for each in stretches if each["all_findings"]],
    }


def in_words(served: Mapping[str, Any]) -> str:
    """Return how many answers can be asked for, and how many cannot."""
    missing = int(served["rows"]) - int(served["loaded"])
    which = f"; {missing} cannot, which the manifest names" if missing else ""
    return f"{served['loaded']} answers can be asked for by key{which}."


def _following(found: Mapping[tuple[int, int], Result], file: int) -> list[Result]:
    line: list[Result] = []
    byte = 0
    while (file, byte) in found:
        line.append(found[file, byte])
        if line[-1]["done"] or line[-1]["to"] <= byte:
            break
        byte = line[-1]["to"]
    return line


def _begun(plan: Plan, run: Run, recorded: Input, number: int, each: Stored) -> Task:
    assert run.model is not None
    return Task(
        bucket=plan.bucket,
        key=output_key(recorded, each, plan.output_folder(run.id)),
        results=plan.load_folder(run.id),
        file=number,
        run=run.id,
        at=round(run.decided_at, 3),
        version=run.model.version,
        model=run.model.key,
        content_type=plan.batch.accept,
        outputs=run.model.outputs,
    )
