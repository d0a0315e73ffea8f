"""What a rollout's policy cannot ask of its endpoint, each with the reason and the way out."""

from collections.abc import Callable, Iterator

from lambdas.rollout.policy import Policy, Step
from lambdas.rollout.policy.reading import as_written
from lambdas.rollout.policy.strategies import EVIDENCE, MANUAL
from stacks.config.model import Alarms, Endpoint, Environment
from stacks.config.places import partition
from stacks.config.problems import Problem

WEIGHTS_SECONDS = 120
"""Room for SageMaker to change the weights of a step."""


_DECIDED = {MANUAL: "a person decides, and no numbers are compared", EVIDENCE: "only a version that is better wins"}


def rollout_problems(endpoint: Endpoint) -> Iterator[Problem]:
    """Yield what an endpoint's policy asks that cannot be had; the paths begin below the endpoint."""
    for rule in _RULES:
        for problem in rule(endpoint):
            yield problem.under("rollout")


def _bakes(endpoint: Endpoint) -> Iterator[Problem]:
    """A step passes only once its alarms have looked at nothing but it, so a shorter bake would promise too much."""
    periods, seconds = endpoint.alarms.of_periods, endpoint.fleet.metrics_period_seconds
    for field, watched in _watched(endpoint.rollout):
        if watched < periods * seconds:
            yield Problem(
                field,
                watched,
                f"the alarms look at {periods} periods of {seconds} s, so it must be at least {periods * seconds}",
                "watch longer, or lower alarms.of_periods or fleet.metrics_period_seconds",
            )


def _watched(policy: Policy) -> Iterator[tuple[str, int]]:
    """Yield every span for which a version is watched, under the name of the field that says it."""
    if policy.shadow is not None:
        yield "shadow.seconds", policy.shadow.seconds
    if policy.linear is not None:
        yield "linear.interval_seconds", policy.linear.interval_seconds
    if policy.ab_test is not None and policy.ab_test.seconds is not None:
        yield "ab_test.seconds", policy.ab_test.seconds
    for index, step in enumerate(policy.steps[:-1]):
        yield f"steps[{index}].bake_seconds", step.bake_seconds
    if not policy.watches_nothing:
        yield "soak_seconds", policy.soak_seconds


def _deadline(endpoint: Endpoint) -> Iterator[Problem]:
    """A deadline that is over before instances start or a step passes would roll every version back."""
    policy, fleet = endpoint.rollout, endpoint.fleet
    download, startup = fleet.download_timeout_seconds, fleet.startup_timeout_seconds
    longest, alarms = policy.longest_step_seconds, endpoint.alarms.of_periods * fleet.metrics_period_seconds
    least = max(download + startup, longest + alarms + WEIGHTS_SECONDS)
    if policy.progress_deadline_seconds < least:
        yield Problem(
            "progress_deadline_seconds",
            policy.progress_deadline_seconds,
            f"it must be at least {least}: instances may take {download} s (fleet.download_timeout_seconds) and "
            f"{startup} s (fleet.startup_timeout_seconds) to start; the longest step {longest} s with its hooks, "
            f"{alarms} s for its alarms (alarms.of_periods x fleet.metrics_period_seconds) and {WEIGHTS_SECONDS} s to "
            "change the weights",
            f"raise it to {least}, or lower one of these",
        )


def _without_effect(endpoint: Endpoint) -> Iterator[Problem]:
    """Whoever writes an option expects it to do something."""
    policy, test = endpoint.rollout, endpoint.rollout.ab_test
    decided = _DECIDED.get(test.winner) if test is not None else None
    if test is not None and decided is not None and test.tolerance_percent:
        reason = f"with winner: {test.winner} {decided}"
        way_out = "remove tolerance_percent:, or write winner: error-rate or latency"
        yield Problem("ab_test.tolerance_percent", test.tolerance_percent, reason, way_out)
    if policy.timezone != "UTC" and not policy.windows:
        reason = "it is the time zone of the windows, and there are none"
        yield Problem("timezone", policy.timezone, reason, "remove timezone:, or add windows:")


def _judged(endpoint: Endpoint) -> Iterator[Problem]:
    """A judge compares two versions that both take traffic, and answers of which there is a record."""
    judging, policy = endpoint.rollout.judge, endpoint.rollout
    if judging is None:
        return
    if len(policy.plan) == 1:
        reason = "all the traffic shifts in one step, so the live version answers nothing to compare with"
        yield Problem("judge", as_written(judging), reason, "write a canary with steps below 100, or remove judge:")
    capture = endpoint.fleet.capture
    if judging.answers is not None and not endpoint.fleet.data_capture:
        # The container's own captures do not keep variants apart, and may lack what was redacted.
        reason = f"the answers that are compared are those that SageMaker captures, and fleet.capture is {capture}"
        way_out = "write fleet.capture: sagemaker, or remove answers:"
        yield Problem("judge.answers", as_written(judging.answers), reason, way_out)


def _thresholds(endpoint: Endpoint) -> Iterator[Problem]:
    """The alarms roll back at every step, whatever the step says: it can only be stricter."""
    for index, step in enumerate(endpoint.rollout.steps):
        for name, own, general in _looser(step, endpoint.alarms):
            yield Problem(
                f"steps[{index}].{name}",
                own,
                f"the alarms roll back above {general:g} already, and a step may only be stricter",
                f"lower it, leave it out, or raise alarms.{name}",
            )


def _looser(step: Step, alarms: Alarms) -> Iterator[tuple[str, float, float]]:
    for name in ("error_rate_percent", "p99_latency_milliseconds"):
        own, general = getattr(step, name), getattr(alarms, name)
        if own is not None and own > general:
            yield name, own, general


def _peak(endpoint: Endpoint) -> Iterator[Problem]:
    fleet, peak = endpoint.fleet, endpoint.rollout.peak_instances
    if peak is not None and not fleet.min_instances <= peak <= fleet.max_instances:
        yield Problem(
            "peak_instances",
            peak,
            f"the fleet has {fleet.min_instances} to {fleet.max_instances} instances",
            "choose a number in between, or change fleet.min_instances or fleet.max_instances",
        )


def _share(endpoint: Endpoint) -> Iterator[Problem]:
    """Every share is one instance at least; what makes no sense is to share out what cannot be divided."""
    policy = endpoint.rollout
    if policy.capacity != "share":
        return
    if (policy.peak_instances or endpoint.fleet.max_instances) == 1:
        reason = "there is one instance, and the smallest share of it is all of it"
        yield Problem("capacity", policy.capacity, reason, "write full, or raise fleet.max_instances")
    elif len(policy.plan) == 1:
        reason = f"the strategy {policy.shifting} shifts all the traffic in one step, and its share is all instances"
        yield Problem("capacity", policy.capacity, reason, "write full, or choose a strategy with more steps")


def hook_problems(environment: Environment) -> Iterator[Problem]:
    """Yield why functions that steps ask could not be asked."""
    for path, function in _hooks(environment):
        _, own_partition, _, region, account, *_ = function.split(":")
        if environment.account is None or environment.region is None:
            reason = f"{path} names a function that can be asked from account {account} and region {region} only"
            yield Problem("account", environment.account, reason, f'add account: "{account}" and region: {region}')
            return
        if region != environment.region:
            reason = f"Lambda calls no function of another region than its own, which is {environment.region}"
            yield Problem(path, function, reason, f"name a function in {environment.region}, which may ask the other")
        elif own_partition != partition(region):
            reason = f"{region} lies in the partition {partition(region)}"
            yield Problem(path, function, reason, f"write arn:{partition(region)}:...")
        elif account != environment.account:
            reason = f"account {account} decides whom its function answers, and nothing can be granted from here"
            way_out = f"name a function in account {environment.account}, which may ask the other"
            yield Problem(path, function, reason, way_out)


def _hooks(environment: Environment) -> Iterator[tuple[str, str]]:
    for number, endpoint in enumerate(environment.endpoints):
        for index, step in enumerate(endpoint.rollout.steps):
            for when, hook in (("before", step.before), ("after", step.after)):
                if hook is not None:
                    yield f"endpoints[{number}].rollout.steps[{index}].{when}.function", hook.function


_RULES: tuple[Callable[[Endpoint], Iterator[Problem]], ...] = (
    _bakes,
    _deadline,
    _without_effect,
    _judged,
    _thresholds,
    _peak,
    _share,
)
