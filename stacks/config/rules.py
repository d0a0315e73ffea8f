"""Combinations that cannot work, refused before anything is deployed, each with the reason and the way out."""

from collections.abc import Callable, Iterator
from itertools import permutations

from lambdas import contract
from stacks.config.capture_rules import capture_problems
from stacks.config.door_sizes import too_many
from stacks.config.front_door_rules import front_door_problems
from stacks.config.hardware import hardware_problems
from stacks.config.lengths import too_long
from stacks.config.model import Endpoint, Environment
from stacks.config.monitoring_rules import monitoring_problems
from stacks.config.problems import Problem
from stacks.config.retraining_rules import retraining_problems
from stacks.config.rollout_rules import hook_problems, rollout_problems


def problems_of(environment: Environment) -> list[Problem]:
    """Return everything that is wrong with an environment whose fields are each right on their own."""
    found = [*_place(environment), *_names(environment), *_names_of_jobs(environment), *_alerts(environment)]
    found += [*hook_problems(environment), *too_long(environment), *too_many(environment)]
    for index, endpoint in enumerate(environment.endpoints):
        own = [problem for rule in _ENDPOINT_RULES for problem in rule(endpoint)]
        own += [*monitoring_problems(endpoint, environment), *retraining_problems(endpoint, environment)]
        found += [problem.under(f"endpoints[{index}]") for problem in own]
    return found


def _place(environment: Environment) -> Iterator[Problem]:
    if (environment.account is None) != (environment.region is None):
        missing = "region" if environment.region is None else "account"
        yield Problem(missing, None, "account and region are given together or not at all", f"add {missing}:")


def _alerts(environment: Environment) -> Iterator[Problem]:
    if environment.retain_data and not environment.alert_emails:
        yield Problem(
            "alert_emails",
            None,
            "what is worth keeping (retain_data) is worth telling somebody about",
            "add at least one address",
        )


def _names(environment: Environment) -> Iterator[Problem]:
    """The engine may touch `<endpoint>-*` only, which must never take in another endpoint's resources."""
    for (index, one), (_, other) in permutations(enumerate(environment.endpoints), 2):
        name, longer = (endpoint.full_name(environment.environment) for endpoint in (other, one))
        if one.name == other.name or longer.startswith(f"{name}-"):
            yield Problem(
                f"endpoints[{index}].name",
                one.name,
                f"what belongs to {longer} could not be told from what belongs to {name}",
                "choose another name",
            )


def _names_of_jobs(environment: Environment) -> Iterator[Problem]:
    """Nor may what belongs to an endpoint of jobs be another endpoint's."""
    names = {endpoint.full_name(environment.environment): endpoint.name for endpoint in environment.endpoints}
    for endpoint in environment.called:
        own = contract.jobs_endpoint(endpoint.full_name(environment.environment))
        taken = [short for full, short in names.items() if full == own or full.startswith(f"{own}-")]
        if taken and endpoint.has_jobs_endpoint:
            reason = f"the endpoint that answers the jobs of {endpoint.name} is called {own}"
            yield Problem("endpoints", taken[0], reason, "choose another name")


def _scaling(endpoint: Endpoint) -> Iterator[Problem]:
    fleet = endpoint.fleet
    target = fleet.target_invocations_per_instance
    if fleet.min_instances > fleet.max_instances:
        yield Problem(
            "fleet.min_instances",
            fleet.min_instances,
            f"it must not be more than max_instances ({fleet.max_instances})",
            "lower it, or raise max_instances",
        )
    elif fleet.min_instances == fleet.max_instances and target is not None:
        yield Problem(
            "fleet.target_invocations_per_instance",
            target,
            f"min_instances and max_instances are both {fleet.min_instances}, so nothing can scale to reach it",
            "raise max_instances, or remove the target",
        )
    elif fleet.min_instances < fleet.max_instances and target is None:
        yield Problem(
            "fleet.target_invocations_per_instance",
            target,
            f"nothing would ever scale between {fleet.min_instances} and {fleet.max_instances} instances",
            "add a target, or make min_instances and max_instances equal",
        )


def _alarms(endpoint: Endpoint) -> Iterator[Problem]:
    alarms = endpoint.alarms
    if alarms.bad_periods > alarms.of_periods:
        yield Problem(
            "alarms.bad_periods",
            alarms.bad_periods,
            f"there are only {alarms.of_periods} periods to be bad",
            "lower it, or raise of_periods",
        )


_ENDPOINT_RULES: tuple[Callable[[Endpoint], Iterator[Problem]], ...] = (
    hardware_problems,
    _scaling,
    _alarms,
    capture_problems,
    rollout_problems,
    front_door_problems,
)
