"""Which steps wait for which, and whether that can end."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from localcloud.services.pipelines import conditions
from localcloud.services.pipelines.definition import Definition, Step, unparsable
from localcloud.services.pipelines.expressions import (
    EXECUTION_VARIABLES,
    ExpressionError,
    references,
    step_and_path,
)


def check(definition: Definition) -> None:
    """Raise `AwsError` if a step refers to what is not there, or steps wait for one another in a circle."""
    for step in definition.steps.values():
        for name in step.depends_on:
            if name not in definition.steps:
                raise unparsable(f"DependsOn of the step {step.name} names {name!r}, which is no step")
        for reference in references(_own(step)):
            _check_reference(step, reference, definition)
        if step.type == "Condition":
            for condition in step.arguments["Conditions"]:
                conditions.check(condition, step.name)
    try:
        TopologicalSorter(waits_for(definition)).prepare()
    except CycleError as error:
        raise unparsable(f"Steps wait for one another: {' -> '.join(error.args[1])}") from error


def waits_for(definition: Definition) -> dict[str, set[str]]:
    """Return, for every step, the steps that must have run before: referred to, depended on, and its condition.

    What depends on a condition step also waits for the steps of its branches, as SageMaker's guide says.
    """
    found = {}
    for step in definition.steps.values():
        named = {*step.depends_on, *(step_and_path(r)[0] for r in references(_own(step)) if r.startswith("Steps."))}
        branches = {
            inner.name
            for name in named
            for inner in definition.steps.values()
            if _is_inside(inner, name, definition.steps) and not _is_inside(step, name, definition.steps)
        }
        above = {step.branch[0]} if step.branch else set()
        found[step.name] = named | branches | above
    return found


def _own(step: Step) -> list[object]:
    """Return where a step may refer to others; the steps of its branches speak for themselves."""
    arguments = {key: value for key, value in step.arguments.items() if key not in ("IfSteps", "ElseSteps")}
    return [arguments if step.type == "Condition" else step.arguments, step.function_arn]


def _is_inside(step: Step, condition: str, steps: Mapping[str, Step]) -> bool:
    """Whether a step stands in a branch of a condition step, however deep."""
    while step.branch is not None:
        if step.branch[0] == condition:
            return True
        step = steps[step.branch[0]]
    return False


def _check_reference(step: Step, reference: str, definition: Definition) -> None:
    kind, _, name = reference.partition(".")
    if kind == "Parameters":
        if name not in definition.parameters:
            raise unparsable(f"The step {step.name} refers to the parameter {name!r}, which is not declared")
        return
    if kind == "Execution":
        if name not in EXECUTION_VARIABLES:
            raise unparsable(f"The step {step.name} refers to {reference}; there are {sorted(EXECUTION_VARIABLES)}")
        return
    try:
        named, path = step_and_path(reference)
    except ExpressionError as error:
        raise unparsable(f"The step {step.name}: {error}") from error
    if named not in definition.steps:
        raise unparsable(f"The step {step.name} refers to {reference}, and {named!r} is no step")
    if path[:1] == ["PropertyFiles"] and path[-1] not in definition.steps[named].property_files:
        raise unparsable(f"The step {step.name} refers to {reference}, which the step {named} does not declare")
