"""Definitions in the Amazon States Language, as far as they are run here; anything else is refused by its name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.services.workflows.paths import check_expression, check_template

INVOKE = "arn:aws:states:::lambda:invoke"
PROCESS = "arn:aws:states:::sagemaker:createProcessingJob.sync"
GET_OBJECT = "arn:aws:states:::s3:getObject"

_EVERY = ("Type", "Comment", "InputPath", "OutputPath")
_FOLLOWED = ("Next", "End")
_WORKING = (*_EVERY, *_FOLLOWED, "ResultSelector", "ResultPath", "Retry", "Catch")
_FIELDS: dict[str, tuple[str, ...]] = {
    "Task": (*_WORKING, "Resource", "Parameters"),
    "Map": (
        *_WORKING,
        *("Label", "ItemReader", "ItemProcessor", "MaxConcurrency", "MaxConcurrencyPath"),
        *("ToleratedFailureCount", "ToleratedFailurePercentage"),
    ),
    "Pass": (*_EVERY, *_FOLLOWED, "Result", "Parameters", "ResultPath"),
    "Choice": (*_EVERY, "Choices", "Default"),
    "Succeed": _EVERY,
    "Fail": ("Type", "Comment", "Error", "Cause"),
}
_TOP = ("Comment", "StartAt", "States", "TimeoutSeconds", "Version", "QueryLanguage")
_RETRY = ("ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy")
_RULE = ("Variable", "BooleanEquals", "Next", "Comment")
_CATCH = ("ErrorEquals", "Next", "ResultPath")


@dataclass(frozen=True)
class Retrier:
    """Pauses of `interval` seconds, each `backoff` times the one before, at most `longest`; `most` of them."""

    errors: tuple[str, ...]
    interval: float
    most: int
    backoff: float
    longest: float

    def pause(self, retries: int) -> float:
        """Return the pause before the next try, after a number of retries."""
        return min(self.interval * self.backoff**retries, self.longest)


@dataclass(frozen=True)
class Catcher:
    """Where a state goes on after some errors."""

    errors: tuple[str, ...]
    next: str
    result_path: str | None


@dataclass(frozen=True)
class State:
    """A state; `fields` are as the definition has them."""

    name: str
    kind: str
    fields: Mapping[str, Any]
    retriers: tuple[Retrier, ...]
    catchers: tuple[Catcher, ...]
    flow: "Flow | None"
    """What a Map runs for each item."""

    @property
    def next(self) -> str | None:
        """Return the state that follows; None if this is the last, or one of several follows."""
        return self.fields.get("Next")

    @property
    def rules(self) -> tuple[Mapping[str, Any], ...]:
        """Return the rules by which a Choice chooses."""
        return tuple(self.fields.get("Choices", ()))


@dataclass(frozen=True)
class Flow:
    """States, and which is the first."""

    start_at: str
    states: Mapping[str, State]

    def resources(self) -> set[str]:
        """Return what its tasks call, inside Maps as well."""
        found = {str(state.fields["Resource"]) for state in self.states.values() if state.kind == "Task"}
        return found.union(*(state.flow.resources() for state in self.states.values() if state.flow))


@dataclass(frozen=True)
class Definition:
    """A definition, and how many seconds an execution may take."""

    flow: Flow
    seconds: float | None


def parse(text: str) -> Definition:
    """Read a definition.

    Raises
    ------
    AwsError
        ``InvalidDefinition`` where it is wrong, ``NotSimulated`` where it asks for what is not run here.
    """
    try:
        told = json.loads(text)
    except ValueError as error:
        raise _invalid("INVALID_JSON_DESCRIPTION", f"it is not JSON: {error}") from error
    if not isinstance(told, dict):
        raise _invalid("INVALID_JSON_DESCRIPTION", "it is no JSON object")
    _only(told, _TOP, "a state machine")
    if told.get("QueryLanguage", "JSONPath") != "JSONPath":
        raise NotSimulatedError(f"QueryLanguage {told['QueryLanguage']!r}")
    return Definition(_flow(told, "the state machine"), told.get("TimeoutSeconds"))


def _flow(told: Mapping[str, Any], where: str) -> Flow:
    states, start = told.get("States"), told.get("StartAt")
    if not isinstance(states, dict) or not states:
        raise _invalid("SCHEMA_VALIDATION_FAILED", f"States of {where} must have one state or more")
    read = {name: _state(name, fields) for name, fields in states.items()}
    targets = [(start, f"StartAt of {where}")]
    for state in read.values():
        targets += [(state.next, f"Next of {state.name}")] if state.next is not None else []
        targets += [(catcher.next, f"Catch of {state.name}") for catcher in state.catchers]
        targets += [(rule["Next"], f"Choices of {state.name}") for rule in state.rules]
        targets += [(state.fields["Default"], f"Default of {state.name}")] if "Default" in state.fields else []
    for target, field in targets:
        if target not in read:
            raise _invalid("MISSING_TRANSITION_TARGET", f"{field} is {target!r}, which is no state")
    return Flow(str(start), read)


def _state(name: str, fields: Any) -> State:
    kind = fields.get("Type") if isinstance(fields, dict) else None
    if kind not in _FIELDS:
        raise NotSimulatedError(f"state type {kind!r} (state {name})")
    _only(fields, _FIELDS[kind], f"the state {name}")
    if "Next" in _FIELDS[kind] and ("Next" in fields) == bool(fields.get("End")):
        raise _invalid("SCHEMA_VALIDATION_FAILED", f"the state {name} must have one of Next and End")
    for field in ("InputPath", "OutputPath", "ResultPath", "MaxConcurrencyPath"):
        if fields.get(field) is not None:
            check_expression(fields[field], f"{field} of {name}")
    for field in ("Parameters", "ResultSelector"):
        check_template(fields.get(field), f"{field} of {name}")
    _check_rules(name, fields)
    flow = _map(name, fields) if kind == "Map" else None
    if kind == "Task" and fields.get("Resource") not in (INVOKE, PROCESS):
        raise NotSimulatedError(f"Resource {fields.get('Resource')!r} of the state {name} (here: {INVOKE}, {PROCESS})")
    retriers = tuple(_retrier(name, item) for item in fields.get("Retry") or ())
    catchers = tuple(_catcher(name, item) for item in fields.get("Catch") or ())
    return State(name, kind, fields, retriers, catchers, flow)


def _map(name: str, fields: Mapping[str, Any]) -> Flow:
    """Return what a Map runs for each item; only those over a JSON list in S3 are run here, each item on its own."""
    reader, processor = fields.get("ItemReader") or {}, fields.get("ItemProcessor") or {}
    _only(reader, ("Resource", "ReaderConfig", "Parameters"), f"ItemReader of {name}")
    if reader.get("Resource") != GET_OBJECT or reader.get("ReaderConfig") != {"InputType": "JSON"}:
        raise NotSimulatedError(f"ItemReader of {name} other than {GET_OBJECT} with InputType JSON")
    check_template(reader.get("Parameters"), f"ItemReader of {name}")
    _only(processor, ("ProcessorConfig", "StartAt", "States"), f"ItemProcessor of {name}")
    if processor.get("ProcessorConfig") != {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}:
        raise NotSimulatedError(f"ProcessorConfig of {name} other than DISTRIBUTED and STANDARD")
    return _flow(processor, f"ItemProcessor of {name}")


def _check_rules(name: str, fields: Mapping[str, Any]) -> None:
    """Refuse a Choice's rules that compare other than one value with true or false."""
    if fields["Type"] == "Choice" and not fields.get("Choices"):
        raise _invalid("SCHEMA_VALIDATION_FAILED", f"Choices of {name} must have one rule or more")
    for rule in fields.get("Choices", ()):
        _only(rule, _RULE, f"Choices of {name}")
        if "Next" not in rule or not isinstance(rule.get("BooleanEquals"), bool):
            raise _invalid("SCHEMA_VALIDATION_FAILED", f"a rule of {name} must have Next and BooleanEquals")
        check_expression(rule.get("Variable"), f"Choices of {name}")


def _retrier(name: str, item: Mapping[str, Any]) -> Retrier:
    _only(item, _RETRY, f"Retry of {name}")
    return Retrier(
        _errors(name, item),
        float(item.get("IntervalSeconds", 1)),
        int(item.get("MaxAttempts", 3)),
        float(item.get("BackoffRate", 2.0)),
        float(item.get("MaxDelaySeconds", "inf")),
    )


def _catcher(name: str, item: Mapping[str, Any]) -> Catcher:
    _only(item, _CATCH, f"Catch of {name}")
    path = item.get("ResultPath", "$")
    if path is not None:
        check_expression(path, f"Catch of {name}")
    return Catcher(_errors(name, item), str(item.get("Next")), path)


def _errors(name: str, item: Mapping[str, Any]) -> tuple[str, ...]:
    if not item.get("ErrorEquals"):
        raise _invalid("SCHEMA_VALIDATION_FAILED", f"Retry and Catch of {name} must have ErrorEquals")
    return tuple(item["ErrorEquals"])


def _only(fields: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for name in fields:
        if name not in known:
            raise NotSimulatedError(f"the field {name} of {where}")


def _invalid(code: str, why: str) -> AwsError:
    return AwsError("InvalidDefinition", f"Invalid State Machine Definition: '{code}: {why}'")
