"""The model and the endpoint config that answer an endpoint's jobs, made from those that are live. Pure.

Their names are digests of what they are: whoever makes them again finds them there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from lambdas import contract
from lambdas.inference.live import LiveModel
from lambdas.inference.own_model import description
from lambdas.inference.settings import Asynchronous
from lambdas.rollout.configs import tag_list

_COPIED = (
    "InstanceType",
    "VolumeSizeInGB",
    "ModelDataDownloadTimeoutInSeconds",
    "ContainerStartupHealthCheckTimeoutInSeconds",
    "InferenceAmiVersion",
)
_DIGITS = 12


@dataclass(frozen=True)
class Plan:
    """The endpoint of an endpoint's jobs.

    Parameters
    ----------
    endpoint
        SageMaker name of the real-time endpoint.
    bucket
        Where answers are left.
    topic
        ARN of the topic that is told of them.
    asynchronous
        How it is to be.
    """

    endpoint: str
    bucket: str
    topic: str
    asynchronous: Asynchronous

    @property
    def name(self) -> str:
        """Return its name."""
        return contract.jobs_endpoint(self.endpoint)

    @property
    def tags(self) -> dict[str, str]:
        """Return the tags of all that it is made of."""
        return {"tidegate:endpoint": self.endpoint}


@dataclass(frozen=True)
class Wanted:
    """What is to answer: requests that make it."""

    model: Mapping[str, Any]
    config: Mapping[str, Any]

    @property
    def model_name(self) -> str:
        """Return the model's name."""
        return str(self.model["ModelName"])

    @property
    def config_name(self) -> str:
        """Return the config's name."""
        return str(self.config["EndpointConfigName"])

    @property
    def instance_type(self) -> str:
        """Return what its instances are to be."""
        return str(self.config["ProductionVariants"][0].get("InstanceType", ""))

    @property
    def made(self) -> tuple[str, ...]:
        """Return what there is to make."""
        return (f"model/{self.model_name}", f"config/{self.config_name}")


def wanted(plan: Plan, live: LiveModel) -> Wanted:
    """Return what is to answer jobs while a version is live."""
    model = _named(plan, "ModelName", {**description(live.model), "Tags": tag_list(plan.tags)})
    return Wanted(model, _named(plan, "EndpointConfigName", _config(plan, live.variant, model["ModelName"])))


def _config(plan: Plan, live: Mapping[str, Any], model: str) -> dict[str, Any]:
    asked = plan.asynchronous
    variant = {
        **{name: live[name] for name in _COPIED if live.get(name) is not None},
        **({"InstanceType": asked.instance_type} if asked.instance_type is not None else {}),
        "VariantName": contract.JOBS_VARIANT,
        "ModelName": model,
        # One to begin with, which shows that the version starts at all; it goes when there is nothing to do.
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
    }
    return {
        "ProductionVariants": [variant],
        "AsyncInferenceConfig": {
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": asked.concurrent},
            "OutputConfig": {
                "S3OutputPath": f"s3://{plan.bucket}/{contract.jobs_answers_folder(plan.endpoint)}",
                "S3FailurePath": f"s3://{plan.bucket}/{contract.jobs_failures_folder(plan.endpoint)}",
                "NotificationConfig": {"SuccessTopic": plan.topic, "ErrorTopic": plan.topic},
            },
        },
        "Tags": tag_list(plan.tags),
    }


def _named(plan: Plan, field: str, request: Mapping[str, Any]) -> dict[str, Any]:
    content = {name: value for name, value in request.items() if name != field}
    digest = sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_DIGITS]
    return {**content, field: f"{plan.name}-{digest}"}
