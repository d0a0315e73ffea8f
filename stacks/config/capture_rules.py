"""What capture cannot do for its endpoint, each with the reason and the way out."""

from collections.abc import Callable, Iterator

from stacks.config.model import Endpoint, Fleet
from stacks.config.problems import Problem

LONGEST_VARIABLE = 1024
"""Characters of a container's environment variable (ContainerDefinition in SageMaker's API reference)."""


def capture_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Yield what an endpoint's capture is asked that cannot be had; the paths begin below the endpoint."""
    for rule in _RULES:
        yield from rule(endpoint)


def _without_effect(endpoint: Endpoint) -> Iterator[Problem]:
    """Whoever writes an option expects it to do something; of this one, that nobody gets to see the values."""
    fleet = endpoint.fleet
    if fleet.captures_itself:
        return
    if fleet.capture_redacted_columns:
        who = "SageMaker writes bodies as they are" if fleet.data_capture else "nothing is captured"
        reason = f"only the serving container redacts; with fleet.capture: {fleet.capture} {who}"
        way_out = "write fleet.capture: container, or remove capture_redacted_columns:"
        yield Problem("fleet.capture_redacted_columns", list(fleet.capture_redacted_columns), reason, way_out)
    if fleet.capture_largest_bytes != Fleet.capture_largest_bytes:
        reason = f"it is a limit of the serving container's own capture, and fleet.capture is {fleet.capture}"
        way_out = "write fleet.capture: container, or remove capture_largest_bytes:"
        yield Problem("fleet.capture_largest_bytes", fleet.capture_largest_bytes, reason, way_out)


def _length(endpoint: Endpoint) -> Iterator[Problem]:
    names = endpoint.fleet.capture_redacted_columns
    length = len(",".join(names))
    if length > LONGEST_VARIABLE:
        reason = f"they come to {length} characters, and a container's variable has {LONGEST_VARIABLE}"
        yield Problem("fleet.capture_redacted_columns", f"{len(names)} columns", reason, "name fewer columns")


def _shadow(endpoint: Endpoint) -> Iterator[Problem]:
    """All containers of an endpoint write to one log, those of a shadow among them."""
    if endpoint.fleet.captures_itself and endpoint.rollout.shadow is not None and endpoint.monitoring is not None:
        reason = (
            "a shadow's container captures the copies that it answers, and the monitor would count them as requests"
        )
        way_out = "write fleet.capture: sagemaker, or another rollout.strategy"
        yield Problem("fleet.capture", endpoint.fleet.capture, reason, way_out)


def _redacted_yet_needed(endpoint: Endpoint) -> Iterator[Problem]:
    redacted, monitoring = endpoint.fleet.capture_redacted_columns, endpoint.monitoring
    if not redacted or monitoring is None:
        return
    outputs = monitoring.outputs
    named = {f"monitoring.slices[{index}]": name for index, name in enumerate(monitoring.slices)}
    if outputs is not None:
        named |= {"monitoring.outputs.probability": outputs.probability or ""}
        named |= {"monitoring.outputs.prediction": outputs.prediction or ""}
    for path, name in named.items():
        if name in redacted:
            reason = "its values are left out of what is captured (fleet.capture_redacted_columns)"
            yield Problem(path, name, reason, "remove it here or there")
    if endpoint.retraining is not None:
        reason = "the model is trained on what is captured, in which these columns are empty"
        way_out = "remove them, or retraining:"
        yield Problem("fleet.capture_redacted_columns", list(redacted), reason, way_out)


_RULES: tuple[Callable[[Endpoint], Iterator[Problem]], ...] = (_without_effect, _length, _shadow, _redacted_yet_needed)
