"""An endpoint's batches, as they are kept: the run that is under way, what waits, and what became of runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lambdas import contract
from lambdas.inference.batch.items import RUN_PREFIX, STATE_KEY, partition, read_state
from lambdas.inference.batch.state import Answer, Stage, State
from lambdas.rollout.errors import PermanentError
from tidegate import items
from tidegate.answers import LONGEST_SECONDS, Pace, await_answer
from tidegate.aws import Aws
from tidegate.command_events import CommandEvent, put
from tidegate.documents import moment
from tidegate.errors import OperatorError
from tidegate.items import text
from tidegate.settings import EndpointSettings

LONGEST_PLACE = 1024
_AT_WORK: Mapping[str, str] = {
    Stage.PLANNED: "its input is about to be listed",
    Stage.RUNNING: "its rows are being answered",
    Stage.LOADING: "its answers are being put into the table, under their keys",
    Stage.FINISHING: "its manifest is about to be written",
    "STOPPING": "it ends as soon as what it started has stopped",
}
OUTCOME_STYLES = {"done": "green", "failed": "red", "stopped": "yellow"}


@dataclass(frozen=True)
class BatchEvent(CommandEvent):
    """One command about an endpoint's batches: ``start``, or ``stop`` of the run that is under way.

    Parameters
    ----------
    input
        S3 URI of the folder with the rows; empty for the one of the schedule.
    """

    input: str = ""
    detail_type = contract.BATCH_COMMAND_DETAIL_TYPE


@dataclass(frozen=True)
class Run:
    """A batch, as it is listed; `ended_at`, `outcome` and `manifest` are empty while it goes on."""

    id: str
    status: str
    input: str
    output: str
    version: str
    objects: int
    left: int
    attempt: int
    started_at: str
    ended_at: str
    outcome: str
    manifest: str
    trigger: str
    by: str
    text: str

    @property
    def answered(self) -> str:
        """How many objects are answered, in words; nothing before they have been counted."""
        return f"{self.objects - self.left} of {self.objects}" if self.objects else ""


def load(aws: Aws, endpoint: EndpointSettings) -> State:
    """Return what is durable; a fresh state before anything has happened."""
    found = next(iter(_items(aws, endpoint, STATE_KEY)), None)
    try:
        return read_state(found) if found else State(endpoint.name)
    except PermanentError as error:
        raise OperatorError(str(error), "use the checkout that the environment was deployed from") from error


def runs(aws: Aws, endpoint: EndpointSettings) -> list[Run]:
    """Return the endpoint's runs, the oldest first."""
    return [_run(item) for item in _items(aws, endpoint, RUN_PREFIX)]


def ask(aws: Aws, endpoint: EndpointSettings, event: BatchEvent, pace: Pace, *, repeated: bool) -> Answer:
    """Give a command, and return the answer; one that was given before under its id is not given again.

    Raises
    ------
    OperatorError
        When no answer comes in time.
    """

    def look() -> Answer | None:
        return next((each for each in load(aws, endpoint).answers if each.id == event.id), None)

    deadline = pace.now() + LONGEST_SECONDS
    if not (repeated and look()):
        put(aws, event, pace.sleep)
    return await_answer(look, lambda: _unanswered(event), pace, deadline, lambda _: None)


def table(found: list[Run]) -> RenderableType:
    """Show runs as a table."""
    if not found:
        return Text("No batch has been run.")
    shown = Table(box=None, pad_edge=False)
    for heading in ("run", "status", "version", "answered", "jobs", "started", "input"):
        shown.add_column(heading, justify="right" if heading == "jobs" else "left", overflow="fold")
    for run in found:
        status = Text(run.status, style=OUTCOME_STYLES.get(run.outcome, ""))
        shown.add_row(run.id, status, run.version, run.answered, str(run.attempt), run.started_at, run.input)
    return shown


def standing(state: State, found: list[Run]) -> RenderableType:
    """Show the run that is under way, or the last one, and what waits."""
    waiting = [Text(f"waits: {each.input} ({each.trigger}, {each.by})") for each in state.waiting]
    if not found:
        return Group(Text("No batch has been run."), *waiting)
    run = found[-1]
    lines = [Text.assemble(f"{run.id}: ", (run.status, OUTCOME_STYLES.get(run.outcome, "bold")))]
    told = {
        "now": _AT_WORK.get(run.status, ""),
        "answered": run.answered and f"{run.answered} objects, by version {run.version}, job {run.attempt}",
        "input": run.input,
        "output": run.output,
        "manifest": run.manifest,
        "why": run.text,
    }
    lines += [Text(f"{name}: {value}") for name, value in told.items() if value]
    return Group(*lines, *waiting)


def document(run: Run) -> dict[str, Any]:
    """Return a run as JSON; what is not known yet is null."""
    return {name: None if value == "" else value for name, value in asdict(run).items()}


def standing_document(state: State, found: list[Run]) -> dict[str, Any]:
    """Return the run that is under way, or the last one, and what waits."""
    return {
        "endpoint": state.name,
        "run": document(found[-1]) if found else None,
        "under_way": state.run is not None,
        "waiting": [{**asdict(each), "at": moment(each.at)} for each in state.waiting],
    }


def answer_document(event: BatchEvent, answer: Answer) -> dict[str, Any]:
    """Return what was said to a command."""
    return {**asdict(answer), "endpoint": event.endpoint, "command": event.command}


def _unanswered(event: BatchEvent) -> OperatorError:
    return OperatorError(
        f"no answer to batch {event.command} from {event.endpoint} in {LONGEST_SECONDS:.0f} s; EventBridge has it, and "
        "it may still be obeyed",
        f"run it again with --id {event.id}: it is obeyed once, and you get its answer; an endpoint whose front_door "
        "declares no batch never answers",
    )


def _items(aws: Aws, endpoint: EndpointSettings, prefix: str) -> list[dict[str, Any]]:
    return list(items.beginning(aws, contract.inference_table(endpoint.environment), partition(endpoint.name), prefix))


def _run(item: Mapping[str, Any]) -> Run:
    numbers = {name: int(item.get(name) or 0) for name in ("objects", "left", "attempt")}
    version = str((item.get("model") or {}).get("version") or "")
    words = {each.name: text(item, each.name) for each in fields(Run)}
    values: dict[str, Any] = {**words, **numbers, "version": version}
    return Run(**values)
