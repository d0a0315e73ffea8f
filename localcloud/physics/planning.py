"""What an update is to bring about, worked out before anything starts, and what is refused."""

from dataclasses import dataclass, replace

from localcloud.physics.async_settings import is_asynchronous
from localcloud.physics.catalogue import validation
from localcloud.physics.hosting import Hosting
from localcloud.physics.records import Endpoint, Named, Plan, Request, Variant, initial_weight, variants_of


@dataclass(frozen=True)
class Change:
    """The weight and count that one variant is to have."""

    variant: Variant
    weight: float
    count: int


def initial_plans(hosting: Hosting, config: Named) -> list[Plan]:
    """Return the plans of all variants with the configuration's own initial values."""
    return [
        Plan(
            variant,
            hosting.models.get(variant["ModelName"]),
            initial_weight(variant),
            int(variant["InitialInstanceCount"]),
            shadow,
        )
        for variant, shadow in variants_of(config.request)
    ]


def retained_plan(plan: Plan, live: Variant | None, retained: set[str]) -> Plan:
    """Return the plan of a variant that keeps the `retained` properties of the live one of the same name.

    A shadow that becomes a production variant keeps them too. SageMaker's documentation speaks of variants by name
    and does not say what it does here; this reading is the one that a careless client would be hurt by.
    """
    if live is None:
        return plan
    weight = live.desired_weight if "DesiredWeight" in retained else plan.weight
    count = live.desired_count if "DesiredInstanceCount" in retained else plan.count
    return replace(plan, weight=weight, count=count)


def refuse_autoscaled_changes(hosting: Hosting, endpoint: Endpoint, config: Named) -> None:
    """Refuse to remove, or change the instance type of, a variant that is a scalable target.

    To become a shadow is to be removed: shadow variants are no scalable targets here.
    """
    if hosting.autoscaling is None:
        return
    wanted = {item["VariantName"]: item["InstanceType"] for item in config.request["ProductionVariants"]}
    held = [
        name
        for name, variant in endpoint.variants.items()
        if wanted.get(name) != variant.config["InstanceType"] and hosting.autoscaling.is_registered(endpoint.name, name)
    ]
    if held:
        raise validation(
            f'The variant(s) "[{", ".join(held)}]" must be deregistered as scalable target with AWS Auto Scaling '
            "before they can be removed or have their instance type updated."
        )


def refuse_change_of_kind(endpoint: Endpoint, config: Named) -> None:
    """Refuse to make an asynchronous endpoint a real-time one, or the other way.

    SageMaker answers UpdateEndpoint so ("The AsyncInferenceConfig parameter cannot be removed from this endpoint",
    aws/sagemaker-python-sdk, pull request 3124); that it cannot be added either is inferred.
    """
    before, after = is_asynchronous(endpoint.config.request), is_asynchronous(config.request)
    if before != after:
        change = "removed from" if before else "added to"
        raise validation(
            f"The AsyncInferenceConfig parameter cannot be {change} this endpoint {endpoint.name}. To change the "
            "endpoint's kind, create another endpoint."
        )


def weight_changes(endpoint: Endpoint, wanted: list[Request]) -> list[Change]:
    """Return what UpdateEndpointWeightsAndCapacities asks for, checked as a whole before anything is changed."""
    hosted = endpoint.hosted()
    unknown = [item["VariantName"] for item in wanted if item["VariantName"] not in hosted]
    if unknown:
        raise validation(
            f'The variant name(s) "{", ".join(unknown)}" is/are not present within endpoint configuration '
            f'"{endpoint.config.name}".'
        )
    changes = [_change(hosted[item["VariantName"]], item) for item in wanted]
    if len([item for item in wanted if item.get("DesiredInstanceCount") is not None]) > 1:
        raise validation("The capacity of at most one variant can be updated in a call; weights of many can.")
    least = 0 if is_asynchronous(endpoint.config.request) else 1
    if any(change.count < least for change in changes):
        raise validation("DesiredInstanceCount must be at least 1 for a variant that hosts a model.")
    return changes


def _change(variant: Variant, item: Request) -> Change:
    weight, count = item.get("DesiredWeight"), item.get("DesiredInstanceCount")
    return Change(
        variant,
        variant.desired_weight if weight is None else float(weight),
        variant.desired_count if count is None else int(count),
    )
