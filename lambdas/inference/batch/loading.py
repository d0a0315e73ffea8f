"""Puts the answers in a file where they can be asked for by key, a stretch of the file at a time.

However large a file is, no more than a block of it is in memory. Whoever is killed is followed by somebody who begins
at the last byte that was told, and does the same again: an answer is written only over an older run's, or over itself,
so that loading twice is loading once, and a run that comes late takes nothing from a newer one.

That is why each answer is a write of its own under a condition: BatchWriteItem knows none, and two answers under one
key would be one without a word.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Any, Protocol

from lambdas.inference.batch import keyed
from lambdas.inference.batch.keyed import UnusableLineError
from lambdas.rollout.errors import RetryableError

BLOCK = 400
"""Lines that are read, and written side by side, at a time."""

LONGEST_LINE = 300_000
"""Bytes: DynamoDB's items hold 400 KB, their names and the key among them."""

MOST_FINDINGS = 5_000
"""Of one stretch, which ends there."""

SHOWN_FINDINGS = 20
"""Of one stretch, in its own result; all of them lie beside it."""


class Outcome(StrEnum):
    """What became of an answer: written, or not because of what is there already."""

    LOADED = "loaded"
    REPEATED = "repeated"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Line:
    """A line of a file, and the byte after its end; None stands for one that is too long."""

    content: bytes | None
    end: int


@dataclass(frozen=True)
class Task:
    """A stretch of an answer file that is to be loaded.

    Parameters
    ----------
    bucket, key
        The file.
    results
        Key prefix below which it is said what became of it.
    file
        Its number in the run.
    run, at, version, model
        Whose answers these are; `at` is when the run was decided on.
    content_type, outputs
        What the file holds, and what the model calls its outputs.
    byte, line
        Where to begin, and how many lines lie before that.
    done
        Whether nothing is left.
    """

    bucket: str
    key: str
    results: str
    file: int
    run: str
    at: float
    version: str
    model: str
    content_type: str
    outputs: Sequence[str]
    byte: int = 0
    line: int = 0
    done: bool = False

    @property
    def place(self) -> str:
        """Return where it is said what became of the stretch that begins here."""
        return f"{self.results}{self.file:06}/{self.byte:015}"


class Lines(Protocol):
    """Answer files."""

    def lines(self, bucket: str, key: str, byte: int, longest: int) -> Iterator[Line]:
        """Yield the lines from a byte on, which is a line's first."""


class Answers(Protocol):
    """The front doors' table."""

    def put(self, items: Sequence[dict[str, Any]]) -> list[Outcome]:
        """Write answers over those of older runs; return what became of each.

        Raises
        ------
        RetryableError
            When the table does not take them in time.
        """


class Results(Protocol):
    """Where it is said what became of a stretch."""

    def write(self, bucket: str, key: str, content: bytes) -> None:
        """Write a document."""


@dataclass(frozen=True)
class Loader:
    """Loads answers of one endpoint.

    Parameters
    ----------
    endpoint, keep_days
        Whose they are, and for how long they are kept.
    lines, answers, results
        The world around.
    in_time
        Returns whether there is time for another block.
    """

    endpoint: str
    keep_days: int
    lines: Lines
    answers: Answers
    results: Results
    in_time: Callable[[], bool]

    def load(self, task: Task) -> Task:
        """Load a stretch; return the task that goes on behind it.

        Raises
        ------
        RetryableError
            When nothing could be loaded.
        """
        found = _Found(task)
        lines = self.lines.lines(task.bucket, task.key, task.byte, LONGEST_LINE)
        while block := list(islice(lines, BLOCK)):
            if found.any and not (self.in_time() and len(found.findings) < MOST_FINDINGS):
                break
            try:
                self._take(found, block)
            except RetryableError:
                if not found.any:
                    raise
                break
        else:
            found.task = replace(found.task, done=True)
        self._tell(task, found)
        return found.task

    def _take(self, found: "_Found", block: Sequence[Line]) -> None:
        """Write a block, and count what became of it; all of it, or nothing is counted."""
        items: list[dict[str, Any]] = []
        findings: list[dict[str, Any]] = []
        for number, line in enumerate(block, start=found.task.line + 1):
            try:
                items += self._items(found.task, number, line)
            except UnusableLineError as error:
                findings.append({"line": number, "key": error.key, "why": str(error)})
        # Two of one key in a block would be written at the same time: the first is, the other is a finding.
        outcomes = self._put(items)
        found.count(block, findings, items, outcomes)

    def _items(self, task: Task, number: int, line: Line) -> list[dict[str, Any]]:
        if line.content is None:
            raise UnusableLineError(f"the line has more than {LONGEST_LINE} bytes, and an item holds no more")
        if not line.content.strip():
            return []
        key, answer = keyed.read_line(line.content.rstrip(b"\r\n"), task.content_type, task.outputs)
        told = {
            "run": task.run,
            "source": f"{task.file}:{number}",
            "at": task.at,
            "version": task.version,
            "model": task.model,
        }
        return [keyed.item(self.endpoint, key, answer, told, self.keep_days)]

    def _put(self, items: Sequence[dict[str, Any]]) -> list[Outcome]:
        first = {each["pk"]: position for position, each in reversed(list(enumerate(items)))}
        written = dict(zip(first.values(), self.answers.put([items[each] for each in first.values()]), strict=True))
        return [written.get(position, Outcome.REPEATED) for position in range(len(items))]

    def _tell(self, task: Task, found: "_Found") -> None:
        if found.findings:
            listed = b"".join(json.dumps(each).encode() + b"\n" for each in found.findings)
            self.results.write(task.bucket, f"{task.place}.findings.jsonl", listed)
        self.results.write(task.bucket, f"{task.place}.json", json.dumps(found.document(task)).encode())


class _Found:
    """What became of the lines of a stretch so far."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.findings: list[dict[str, Any]] = []
        self.any = False
        self._counts = dict.fromkeys(("rows", "bad", *(each.value for each in Outcome)), 0)

    def count(
        self,
        block: Sequence[Line],
        findings: Sequence[dict[str, Any]],
        items: Sequence[dict[str, Any]],
        outcomes: Sequence[Outcome],
    ) -> None:
        """Take what became of a block."""
        self._counts["bad"] += len(findings)
        self._counts["rows"] += len(findings) + len(items)
        self.findings += findings
        for each, outcome in zip(items, outcomes, strict=True):
            self._counts[outcome] += 1
            if outcome is not Outcome.LOADED:
                self.findings.append(_finding(each, outcome))
        self.any = True
        self.task = replace(self.task, byte=block[-1].end, line=self.task.line + len(block))

    def document(self, begun: Task) -> dict[str, Any]:
        """Return what is told of the stretch."""
        ended = {"to": self.task.byte, "lines": self.task.line, "done": self.task.done}
        place = f"{begun.place}.findings.jsonl" if self.findings else None
        return {
            "file": begun.file,
            "from": begun.byte,
            **ended,
            **self._counts,
            "findings": self.findings[:SHOWN_FINDINGS],
            "all_findings": place,
        }


_WHY = {
    Outcome.REPEATED: "another row of the run has the key, and its answer is the one that is kept",
    Outcome.SUPERSEDED: "a newer run has answered the key already",
}


def _finding(item: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    key = str(item["pk"]).split("#", 2)[2]
    return {"line": int(item["source"].partition(":")[2]), "key": key[:60], "why": _WHY[outcome]}


def written(tasks: Sequence[Task]) -> bytes:
    """Return tasks as a JSON list, over which a state machine maps."""
    return json.dumps([asdict(task) for task in tasks]).encode()
