"""What monitoring cannot ask of its endpoint, each with the reason and the way out."""

import math
from collections.abc import Callable, Iterator

from stacks.config.model import Endpoint, Environment
from stacks.config.monitoring import Monitoring, Outputs
from stacks.config.problems import Problem

DAY_MINUTES = 24 * 60

_MEGABYTES = 1000
_ROOM, _LABEL_GIGABYTES = 1.25, 2
"""What files of different sizes need beyond the average, and what labels do."""

_USUAL_THRESHOLD = Outputs().threshold


def monitoring_problems(endpoint: Endpoint, environment: Environment) -> Iterator[Problem]:
    """Yield what an endpoint's monitoring asks that cannot be had; the paths begin below the endpoint."""
    monitoring = endpoint.monitoring
    if monitoring is None:
        return
    for rule in _RULES:
        for problem in rule(monitoring):
            yield problem.under("monitoring")
    yield from _captured(endpoint)
    yield from _kept(monitoring, environment)


def _captured(endpoint: Endpoint) -> Iterator[Problem]:
    if not endpoint.fleet.captures:
        reason = "what is counted are captured requests, and fleet.capture is off"
        way_out = "write fleet.capture: sagemaker or container, or remove monitoring:"
        yield Problem("fleet.capture", endpoint.fleet.capture, reason, way_out)


def _kept(monitoring: Monitoring, environment: Environment) -> Iterator[Problem]:
    """Labels are joined to captured requests, which must still be there when they come."""
    latest = monitoring.label_delay_windows * monitoring.window_minutes + monitoring.delay_minutes
    kept = environment.capture_retention_days * DAY_MINUTES
    if latest > kept:
        yield Problem(
            "monitoring.label_delay_windows",
            monitoring.label_delay_windows,
            f"labels are expected {latest} minutes after a request, and requests are kept for {kept} "
            "(capture_retention_days)",
            "lower it, or raise capture_retention_days",
        )


def _windows(monitoring: Monitoring) -> Iterator[Problem]:
    """Windows of one day are those of every other, so that they can be compared."""
    minutes = monitoring.window_minutes
    if DAY_MINUTES % minutes:
        nearest = max(length for length in range(1, minutes) if DAY_MINUTES % length == 0)
        reason = f"windows begin at midnight UTC, so they must divide the {DAY_MINUTES} minutes of a day"
        yield Problem("window_minutes", minutes, reason, f"write {nearest}")


def _delay(monitoring: Monitoring) -> Iterator[Problem]:
    """CloudWatch looks a few periods back and no further; later numbers would raise no alarm."""
    if monitoring.delay_minutes > monitoring.window_minutes:
        reason = f"a window is {monitoring.window_minutes} minutes, and the alarm on drift does not wait longer for it"
        way_out = f"lower it to {monitoring.window_minutes}, or raise window_minutes"
        yield Problem("delay_minutes", monitoring.delay_minutes, reason, way_out)


def _floors(monitoring: Monitoring) -> Iterator[Problem]:
    floors = monitoring.floors
    if floors.severe <= floors.moderate:
        reason = f"severe drift is more than moderate drift, which begins at {floors.moderate:g}"
        yield Problem("floors.severe", floors.severe, reason, "raise it, or lower floors.moderate")


def _outputs(monitoring: Monitoring) -> Iterator[Problem]:
    """Whoever writes an option expects it to do something."""
    outputs = monitoring.outputs
    if outputs is None or outputs.probability is not None:
        return
    if outputs.prediction is None:
        reason = "it names neither a probability nor a prediction"
        yield Problem("outputs", None, reason, "add probability: or prediction:, or remove outputs:")
    elif outputs.threshold != _USUAL_THRESHOLD:
        reason = "it is a threshold of the probability, and no output is named as that"
        yield Problem("outputs.threshold", outputs.threshold, reason, "add probability:, or remove threshold:")


def _sizes(monitoring: Monitoring) -> Iterator[Problem]:
    """A job gets about as much as a large window has, and one file more, and all labels."""
    job = monitoring.job
    if job.large_window_megabytes <= monitoring.small_window_megabytes:
        reason = (
            f"one job counts what is larger than small_window_megabytes, which is {monitoring.small_window_megabytes}"
        )
        way_out = "raise it, or lower small_window_megabytes"
        yield Problem("job.large_window_megabytes", job.large_window_megabytes, reason, way_out)
    needed = math.ceil(job.large_window_megabytes * _ROOM / _MEGABYTES) + _LABEL_GIGABYTES
    if job.volume_gigabytes < needed:
        reason = f"windows of up to {job.large_window_megabytes} MB (job.large_window_megabytes) do not fit on the disk"
        way_out = f"raise it to {needed}, or lower job.large_window_megabytes"
        yield Problem("job.volume_gigabytes", job.volume_gigabytes, reason, way_out)


_RULES: tuple[Callable[[Monitoring], Iterator[Problem]], ...] = (_windows, _delay, _floors, _outputs, _sizes)
