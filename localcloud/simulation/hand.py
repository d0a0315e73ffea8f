"""What somebody, or AWS itself, does to the endpoint behind the engine's back."""

from contextlib import suppress

from localcloud.errors import AwsError
from localcloud.simulation.cloud import Cloud

CONSOLE = "console"
"""The kind of such an order; its detail is one of `system update`, `config NAME`, `weights SLOT=WEIGHT ...`."""

_SYSTEM_UPDATE_SECONDS = 12.0


def meddle(cloud: Cloud, what: str) -> None:
    """Do what an order says; what the endpoint refuses because it is busy is let be."""
    act, _, about = what.partition(" ")
    with suppress(AwsError):
        if act == "system":
            cloud.update_system(_SYSTEM_UPDATE_SECONDS)
        elif act == "config":
            cloud.sagemaker.update_endpoint({"EndpointName": cloud.name, "EndpointConfigName": about})
        else:
            _set_weights(cloud, about)


def _set_weights(cloud: Cloud, weights: str) -> None:
    wanted = dict(each.split("=") for each in weights.split())
    desired = [{"VariantName": slot, "DesiredWeight": float(weight)} for slot, weight in wanted.items()]
    request = {"EndpointName": cloud.name, "DesiredWeightsAndCapacities": desired}
    cloud.sagemaker.update_endpoint_weights_and_capacities(request)
