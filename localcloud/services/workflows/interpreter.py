"""The course of an execution: state after state, again after failures, and of Maps once for each item."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from localcloud.clock import Clock
from localcloud.physics.times import to_datetime
from localcloud.services.workflows.definition import Flow, State
from localcloud.services.workflows.errors import (
    DATA_LIMIT,
    NO_CHOICE,
    PERMISSIONS,
    RUNTIME,
    TIMEOUT,
    TOO_MANY_FAILED,
    ClosedError,
    StateError,
    StoppedError,
)
from localcloud.services.workflows.halt import Halt
from localcloud.services.workflows.paths import evaluate, filled, placed
from localcloud.services.workflows.records import ABORTED, FAILED, SUCCEEDED, TIMED_OUT, Execution, MapRun, Records
from localcloud.services.workflows.tasks import Tasks

MOST_AT_A_TIME = 20
"""Items of a Map that run side by side, whatever it asks for."""

MOST_BYTES = 256 * 1024
_CUT = "The specified tolerated failure threshold was exceeded"


class Interpreter:
    """Runs one execution, and those of its Maps' items.

    Parameters
    ----------
    records
        Where executions of items are noted.
    tasks
        Calls other services.
    may_start
        Returns why the role may not start executions of its state machine, as Maps do; None if it may.
    clock
        Time.
    make_halt
        Makes a halt below another.
    longest_pause
        Upper bound on pauses before retries.
    """

    def __init__(
        self,
        records: Records,
        tasks: Tasks,
        may_start: Callable[[], str | None],
        clock: Clock,
        make_halt: Callable[[Halt], Halt],
        longest_pause: float,
    ) -> None:
        self._records = records
        self._tasks = tasks
        self._may_start = may_start
        self._clock = clock
        self._make_halt = make_halt
        self._longest_pause = longest_pause

    def run(self, execution: Execution, flow: Flow | None = None) -> None:
        """Run an execution to its end, and put that down."""
        now = self._clock.now
        try:
            output = json.dumps(self._follow(execution, flow or execution.definition.flow))
        except ClosedError:
            return
        except StoppedError:
            execution.end(ABORTED, now())
        except StateError as error:
            timed_out = error.error == TIMEOUT and not error.cause
            execution.end(TIMED_OUT if timed_out else FAILED, now(), error=error.error, cause=error.cause)
        except Exception as error:
            execution.end(FAILED, now(), error=RUNTIME, cause=f"localcloud: {error!r}")
            raise
        else:
            execution.output = output
            execution.end(SUCCEEDED, now())

    def _follow(self, execution: Execution, flow: Flow) -> Any:
        data, name = execution.input, flow.start_at
        while True:
            execution.halt.check()
            state = flow.states[name]
            data, following = self._enter(execution, state, data)
            if len(json.dumps(data)) > MOST_BYTES:
                raise StateError(DATA_LIMIT, f"the state {name} returned a result beyond {MOST_BYTES} bytes")
            if following is None:
                return data
            name = following

    def _enter(self, execution: Execution, state: State, data: Any) -> tuple[Any, str | None]:
        """Return a state's output, and the state that follows."""
        tried = [0] * len(state.retriers)
        while True:
            context = self._context(execution, state, sum(tried))
            try:
                return self._output(execution, state, data, context), _following(state, data, context)
            except StateError as error:
                number = next((n for n, each in enumerate(state.retriers) if error.is_one_of(each.errors)), None)
                if number is None or tried[number] >= state.retriers[number].most:
                    return _caught(state, data, error)
                pause = state.retriers[number].pause(tried[number])
            tried[number] += 1
            execution.halt.wait(min(pause, self._longest_pause))

    def _output(self, execution: Execution, state: State, data: Any, context: Mapping[str, Any]) -> Any:
        fields = state.fields
        if state.kind == "Fail":
            raise StateError(str(fields.get("Error", "")), str(fields.get("Cause", "")))
        given = _chosen(fields, "InputPath", data, context)
        result = self._result(execution, state, given, context)
        if "ResultSelector" in fields:
            result = filled(fields["ResultSelector"], result, context)
        output = placed(fields.get("ResultPath", "$"), given, result)
        return _chosen(fields, "OutputPath", output, context)

    def _result(self, execution: Execution, state: State, given: Any, context: Mapping[str, Any]) -> Any:
        fields = state.fields
        if state.kind == "Map":
            return self._map(execution, state, given, context)
        if state.kind in ("Succeed", "Choice"):
            return given
        parameters = filled(fields["Parameters"], given, context) if "Parameters" in fields else given
        if state.kind == "Pass":
            return fields.get("Result", parameters)
        return self._tasks.run(str(fields["Resource"]), parameters, execution.halt)

    def _map(self, execution: Execution, state: State, given: Any, context: Mapping[str, Any]) -> list[Any]:
        refusal = self._may_start()
        if refusal is not None:
            raise StateError(PERMISSIONS, refusal)
        place = filled(state.fields["ItemReader"]["Parameters"], given, context)
        items = self._tasks.items(place["Bucket"], place["Key"])
        run = self._records.begin_map_run(execution, state, self._clock.now())
        try:
            return self._items(execution, state, run, items, _concurrency(state, given, context))
        finally:
            run.stopped_at = self._clock.now()

    def _items(self, execution: Execution, state: State, run: MapRun, items: list[Any], at_a_time: int) -> list[Any]:
        """Run an execution for each item; the rest is stopped once too many have failed."""
        all_of_them = self._make_halt(execution.halt)
        tolerated = _tolerated(state, len(items))
        begun: list[Execution] = []

        def run_one(item: Any) -> None:
            if all_of_them.stopped:
                return
            halt = self._make_halt(all_of_them)
            one = self._records.begin_item(execution, run, item, self._clock.now(), halt)
            begun.append(one)
            self.run(one, state.flow)
            if sum(each.status in (FAILED, TIMED_OUT, ABORTED) for each in begun) > tolerated:
                all_of_them.stop()

        with ThreadPoolExecutor(max(1, min(at_a_time, len(items)))) as threads:
            list(threads.map(run_one, items))
        execution.halt.check()
        if all_of_them.stopped:
            raise StateError(TOO_MANY_FAILED, _CUT)
        return [json.loads(each.output) for each in begun if each.output is not None]

    def _context(self, execution: Execution, state: State, retries: int) -> Mapping[str, Any]:
        started = to_datetime(execution.started_at).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return execution.context(state.name, retries, started)


def _following(state: State, data: Any, context: Mapping[str, Any]) -> str | None:
    """Return the state that follows, which of a Choice the first rule names that holds."""
    if state.kind != "Choice":
        return state.next
    given = _chosen(state.fields, "InputPath", data, context)
    for rule in state.rules:
        if evaluate(rule["Variable"], given, context) is rule["BooleanEquals"]:
            return str(rule["Next"])
    if "Default" not in state.fields:
        raise StateError(NO_CHOICE, f"no rule of {state.name} holds, and it has no Default")
    return str(state.fields["Default"])


def _caught(state: State, data: Any, error: StateError) -> tuple[Any, str]:
    catcher = next((each for each in state.catchers if error.is_one_of(each.errors)), None)
    if catcher is None:
        raise error
    return placed(catcher.result_path, data, {"Error": error.error, "Cause": error.cause}), catcher.next


def _chosen(fields: Mapping[str, Any], name: str, data: Any, context: Mapping[str, Any]) -> Any:
    """Return what InputPath or OutputPath leaves; null leaves nothing but an empty object."""
    path = fields.get(name, "$")
    return {} if path is None else evaluate(path, data, context)


def _concurrency(state: State, given: Any, context: Mapping[str, Any]) -> int:
    path = state.fields.get("MaxConcurrencyPath")
    wanted = evaluate(path, given, context) if path else state.fields.get("MaxConcurrency", 0)
    if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 0:
        raise StateError(RUNTIME, f"the concurrency of {state.name} is {wanted!r}; it must be a whole number")
    return min(wanted or MOST_AT_A_TIME, MOST_AT_A_TIME)


def _tolerated(state: State, items: int) -> float:
    share = state.fields.get("ToleratedFailurePercentage")
    count = float(state.fields.get("ToleratedFailureCount", 0 if share is None else items))
    return count if share is None else min(count, items * float(share) / 100)
