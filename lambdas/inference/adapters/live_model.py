"""The model that is live on an endpoint, as the rollout engine recorded it and its endpoint config names it.

Needs dynamodb:GetItem on the rollout table (`TIDEGATE_TABLE`), for the partition ``ENDPOINT#<endpoint>``; and
sagemaker:DescribeEndpointConfig and DescribeModel on what is named ``<endpoint>-*``.
"""

from lambdas.inference.live import LiveModel
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import PermanentError
from lambdas.rollout.route import key_of


def live_model(endpoint: str, store: DynamoStore, client: Lazy) -> LiveModel | None:
    """Return the model that is live; None before the endpoint's first deployment and after its last.

    Raises
    ------
    PermanentError
        When the endpoint config has no variant of the slot that is recorded.
    """
    state = store.load(endpoint)
    if state is None or state.retired:
        return None
    live = state.live
    with translated():
        config = client().describe_endpoint_config(EndpointConfigName=live.config)
    variants = {each["VariantName"]: each for each in config["ProductionVariants"]}
    if live.slot not in variants:
        raise PermanentError(f"{live.config} has no variant {live.slot}, only {sorted(variants)}")
    variant = variants[live.slot]
    with translated():
        model = client().describe_model(ModelName=variant["ModelName"])
    key = key_of(live.version, live.package_arn, live.config)
    return LiveModel(live.slot, live.version, key, variant, model, live.sha256)
