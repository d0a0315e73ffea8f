"""Application Auto Scaling over what can be scaled: endpoints, which attach themselves, and functions."""

from localcloud.clock import Clock
from localcloud.physics.autoscaling import AutoScalingService
from localcloud.physics.cloudwatch import MetricStore
from localcloud.physics.scalable import PROVISIONED
from localcloud.service import Service
from localcloud.services.functions.platform import FunctionPlatform
from localcloud.services.functions.scaling import ProvisionedScaling
from localcloud.services.scheduled_scaling import ScheduledScaling


def scaling_services(
    autoscaling: AutoScalingService, functions: FunctionPlatform, metrics: MetricStore, clock: Clock
) -> list[Service]:
    """Let functions be scaled too, and return the services of scaling."""
    autoscaling.attach(ProvisionedScaling(functions, metrics, clock), PROVISIONED)
    return [autoscaling, ScheduledScaling(autoscaling, clock, autoscaling.account, autoscaling.region)]
