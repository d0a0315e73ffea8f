"""What retraining cannot ask of its endpoint, each with the reason and the way out."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil

from stacks.config.model import Endpoint, Environment
from stacks.config.monitoring_rules import DAY_MINUTES
from stacks.config.problems import Problem
from stacks.config.retraining import Retraining

ARGUMENT_LIMIT = 256
"""Characters of one argument of a job's container."""

_LONGEST_MONTH_DAYS = 31


def slices_argument(slices: Sequence[str]) -> str:
    """Return the argument that tells the pipeline's steps the columns whose slices they judge."""
    return ",".join(slices)


def retraining_problems(endpoint: Endpoint, environment: Environment) -> Iterator[Problem]:
    """Yield what an endpoint's retraining asks that cannot be had; the paths begin below the endpoint."""
    retraining = endpoint.retraining
    if retraining is None:
        return
    if endpoint.monitoring is None:
        reason = "it starts when windows have drifted, and learns from requests whose labels the monitor has joined"
        yield Problem("retraining", endpoint.name, reason, "add monitoring:, or remove retraining:")
    yield from _slices(endpoint)
    for rule in _RULES:
        for problem in rule(retraining):
            yield problem.under("retraining")
    for problem in (*_afresh(retraining, endpoint), *_unattended(retraining, endpoint, environment)):
        yield problem.under("retraining")


def _slices(endpoint: Endpoint) -> Iterator[Problem]:
    """The pipeline's steps are told all of them in one argument."""
    slices = endpoint.monitoring.slices if endpoint.monitoring is not None else ()
    length = len(slices_argument(slices))
    if length > ARGUMENT_LIMIT:
        yield Problem(
            "monitoring.slices",
            f"{length} characters",
            f"with commas they are one argument of the jobs that retrain, which has {ARGUMENT_LIMIT}",
            f"save {length - ARGUMENT_LIMIT}: fewer slices or shorter names of columns, or remove retraining:",
        )


def _windows(retraining: Retraining) -> Iterator[Problem]:
    drift = retraining.on_drift
    if drift is not None and drift.windows > drift.of:
        yield Problem("on_drift.windows", drift.windows, f"it looks at {drift.of} windows", "lower it, or raise of")


def _schedule(retraining: Retraining) -> Iterator[Problem]:
    """What a schedule uses up, drift cannot have."""
    days = retraining.schedule_days
    if days is None:
        return
    needed = ceil(_LONGEST_MONTH_DAYS / days)
    if needed > retraining.monthly_runs:
        reason = f"that alone is up to {needed} runs a month, of which there may be {retraining.monthly_runs}"
        yield Problem("schedule_days", days, reason, f"raise it, or raise monthly_runs to {needed} or more")
    if retraining.cooldown_minutes >= days * DAY_MINUTES:
        reason = f"a run rests for {retraining.cooldown_minutes} minutes (cooldown_minutes), beyond the next date"
        yield Problem("schedule_days", days, reason, "raise it, or lower cooldown_minutes")


def _new_data(retraining: Retraining) -> Iterator[Problem]:
    """Where labels come all the time there is a run after every cool-down."""
    if not retraining.on_new_data:
        return
    least = ceil(_LONGEST_MONTH_DAYS * DAY_MINUTES / retraining.monthly_runs)
    if retraining.cooldown_minutes < least:
        reason = (
            f"with on_new_data there may be a run every {retraining.cooldown_minutes} minutes, so that the "
            f"{retraining.monthly_runs} of a month (monthly_runs) are used up before drift needs one"
        )
        way_out = f"raise it to {least}, raise monthly_runs, or remove on_new_data:"
        yield Problem("cooldown_minutes", retraining.cooldown_minutes, reason, way_out)


def _afresh(retraining: Retraining, endpoint: Endpoint) -> Iterator[Problem]:
    """Windows that were counted before a run say nothing of what came out of it."""
    drift, monitoring = retraining.on_drift, endpoint.monitoring
    if drift is None or monitoring is None:
        return
    least = drift.of * monitoring.window_minutes
    if retraining.cooldown_minutes < least:
        reason = (
            f"{drift.of} windows of {monitoring.window_minutes} minutes are looked at, which must all come after it"
        )
        way_out = f"raise it to {least}, or lower on_drift.of or monitoring.window_minutes"
        yield Problem("cooldown_minutes", retraining.cooldown_minutes, reason, way_out)


def _unattended(retraining: Retraining, endpoint: Endpoint, environment: Environment) -> Iterator[Problem]:
    """Where no person looks, nothing may get in unproved, and the way back must be there from the first request."""
    if retraining.approval != "automatic":
        return
    policy = endpoint.rollout
    if len(policy.plan) == 1:
        reason = f"nobody looks at the model, and the strategy {policy.shifting} gives it all the traffic at once"
        way_out = "write rollout.strategy: canary or linear, or approval: manual"
        yield Problem("approval", retraining.approval, reason, way_out)
    if environment.signatures != "required":
        reason = f"nobody looks at the model, and signatures: {environment.signatures} lets unsigned ones pass"
        yield Problem("approval", retraining.approval, reason, "write signatures: required, or approval: manual")


_RULES: tuple[Callable[[Retraining], Iterator[Problem]], ...] = (_windows, _schedule, _new_data)
