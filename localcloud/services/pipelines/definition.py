"""A pipeline definition (schema 2020-12-01), read and checked."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.services.pipelines.retries import RetryPolicy, read_policy

VERSION = "2020-12-01"
JOB_LABELS = {"Processing": "ProcessingJob", "Training": "TrainingJob"}
"""Step types that run a job, and what SageMaker calls it."""

Json = Mapping[str, Any]
_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
_TOP = frozenset({"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "Steps"})
_COMMON = frozenset({"Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description"})
_OF_TYPE = {
    "Processing": _COMMON | {"PropertyFiles", "RetryPolicies", "CacheConfig"},
    "Training": _COMMON | {"RetryPolicies", "CacheConfig"},
    "Lambda": _COMMON | {"FunctionArn", "OutputParameters", "CacheConfig"},
    "Condition": _COMMON,
    "Fail": _COMMON,
}
_PARAMETER_TYPES = ("String", "Integer", "Float", "Boolean")


@dataclass(frozen=True)
class Parameter:
    """A parameter that an execution may or must be given."""

    name: str
    type: str
    default: Any = None
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file in an output of a processing step."""

    output: str
    path: str


@dataclass(frozen=True)
class Step:
    """One step; those in the branches of a condition carry where they stand."""

    name: str
    type: str
    arguments: Json
    depends_on: tuple[str, ...] = ()
    display_name: str | None = None
    description: str | None = None
    function_arn: Any = None
    outputs: tuple[Json, ...] = ()
    property_files: Mapping[str, PropertyFile] = field(default_factory=dict)
    retries: tuple[RetryPolicy, ...] = ()
    branch: tuple[str, bool] | None = None
    """Condition step, and the outcome under which this step runs."""


@dataclass(frozen=True)
class Definition:
    """Parameters and steps, nested ones among them, in the order in which they are written."""

    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]


def parse(text: str) -> Definition:
    """Read a definition.

    Raises
    ------
    AwsError
        If it is not one: what is wrong, by name.
    NotSimulatedError
        If it has steps or settings that are not simulated.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise unparsable(f"It is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise unparsable("It must be an object")
    _check_names(content, _TOP, "the definition")
    if content.get("Version") != VERSION:
        raise unparsable(f"Version must be {VERSION!r}, not {content.get('Version')!r}")
    parameters = [_parameter(item) for item in content.get("Parameters") or []]
    steps = list(_steps(content.get("Steps") or [], None))
    if not steps:
        raise unparsable("Steps must hold one step or more")
    for kind, names in (("Parameter", [p.name for p in parameters]), ("Step", [s.name for s in steps])):
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise unparsable(f"{kind} names must be unique, and {', '.join(twice)} is not")
    return Definition({each.name: each for each in parameters}, {each.name: each for each in steps})


def unparsable(why: str) -> AwsError:
    """Return the refusal of a definition."""
    return AwsError("ValidationException", f"Unable to parse pipeline definition. {why}.")


def _check_names(item: Json, known: frozenset[str], where: str) -> None:
    unknown = sorted(set(item) - known)
    if unknown:
        raise unparsable(f"Cannot parse {where}, unknown property '{unknown[0]}'")


def _parameter(item: Json) -> Parameter:
    _check_names(item, frozenset({"Name", "Type", "DefaultValue", "EnumValues"}), "a parameter")
    name, kind = str(item.get("Name", "")), item.get("Type")
    if not _NAME.fullmatch(name):
        raise unparsable(f"Parameter name {name!r} must be 1 to 64 letters, digits, - and _")
    if kind not in _PARAMETER_TYPES:
        raise unparsable(f"Type of the parameter {name} must be one of {', '.join(_PARAMETER_TYPES)}, not {kind!r}")
    return Parameter(name, kind, item.get("DefaultValue"), tuple(item.get("EnumValues") or ()))


def _steps(items: list[Json], branch: tuple[str, bool] | None) -> Iterator[Step]:
    for item in items:
        step = _step(item, branch)
        yield step
        if step.type == "Condition":
            for key, outcome in (("IfSteps", True), ("ElseSteps", False)):
                yield from _steps(step.arguments.get(key) or [], (step.name, outcome))


def _step(item: Json, branch: tuple[str, bool] | None) -> Step:
    name, kind = str(item.get("Name", "")), str(item.get("Type", ""))
    if not _NAME.fullmatch(name):
        raise unparsable(f"Step name {name!r} must be 1 to 64 letters, digits, - and _")
    if kind not in _OF_TYPE:
        raise NotSimulatedError(f"the pipeline step type {kind!r} (step {name})")
    _check_names(item, _OF_TYPE[kind], f"the step {name}")
    arguments = item.get("Arguments") or {}
    _check_arguments(name, kind, item, arguments)
    return Step(
        name,
        kind,
        arguments,
        tuple(item.get("DependsOn") or ()),
        item.get("DisplayName"),
        item.get("Description"),
        item.get("FunctionArn"),
        tuple(item.get("OutputParameters") or ()),
        {file["PropertyFileName"]: _property_file(name, file) for file in item.get("PropertyFiles") or []},
        tuple(read_policy(name, policy) for policy in item.get("RetryPolicies") or []),
        branch,
    )


def _property_file(step: str, item: Json) -> PropertyFile:
    try:
        return PropertyFile(item["OutputName"], item["FilePath"])
    except KeyError as missing:
        raise unparsable(f"A property file of the step {step} lacks {missing}") from missing


def _check_arguments(name: str, kind: str, item: Json, arguments: Json) -> None:
    if (item.get("CacheConfig") or {}).get("Enabled"):
        raise NotSimulatedError(f"caching of pipeline steps (CacheConfig of the step {name})")
    if kind in JOB_LABELS and f"{JOB_LABELS[kind]}Name" in arguments:
        raise NotSimulatedError(f"a job name of one's own ({JOB_LABELS[kind]}Name of the step {name})")
    if kind == "Lambda" and not item.get("FunctionArn"):
        raise unparsable(f"The step {name} lacks FunctionArn")
    if kind == "Fail" and "ErrorMessage" not in arguments:
        raise unparsable(f"The step {name} lacks ErrorMessage")
    if kind == "Condition":
        _check_names(arguments, frozenset({"Conditions", "IfSteps", "ElseSteps"}), f"the step {name}")
        if not arguments.get("Conditions"):
            raise unparsable(f"The step {name} lacks Conditions")
