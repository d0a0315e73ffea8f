"""Application Auto Scaling of production variants."""

from typing import Any

from lambdas import contract
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import MissingError
from lambdas.rollout.fleet import Scaling

_POLICY = "tidegate-invocations-per-instance"
_METRIC = "SageMakerVariantInvocationsPerInstance"


class ApplicationAutoscaling:
    """Implements `lambdas.rollout.ports.Autoscaling`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("application-autoscaling")

    def keep(self, name: str, slot: str, scaling: Scaling) -> None:
        """Make the scalable target and its policy what is declared."""
        target = {
            "TargetValue": scaling.target,
            "PredefinedMetricSpecification": {"PredefinedMetricType": _METRIC},
        }
        with translated():
            self._client().register_scalable_target(
                **_target(name, slot), MinCapacity=scaling.minimum, MaxCapacity=scaling.maximum
            )
            self._client().put_scaling_policy(
                **_target(name, slot),
                PolicyName=_POLICY,
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration=target,
            )

    def release(self, name: str, slot: str) -> None:
        """Deregister the scalable target, if there is one; its policies go with it."""
        try:
            with translated():
                self._client().deregister_scalable_target(**_target(name, slot))
        except MissingError:
            return


def _target(name: str, slot: str) -> dict[str, Any]:
    return {
        "ServiceNamespace": contract.SCALABLE_NAMESPACE,
        "ResourceId": contract.scalable_target(name, slot),
        "ScalableDimension": contract.SCALABLE_DIMENSION,
    }
