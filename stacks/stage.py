"""An environment as a whole."""

from pathlib import Path

from aws_cdk import Environment as Place
from aws_cdk import Stage, Tags
from constructs import Construct

from stacks.bundling import bundle_functions
from stacks.config import ROOT, ConfigError, Environment, Problem, environment_names, load_environment
from stacks.constructs.seeded_endpoint import UNTAGGED
from stacks.inference_stack import InferenceStack
from stacks.monitoring_stack import MonitoringStack
from stacks.registry_stack import RegistryStack
from stacks.retraining_stack import RetrainingStack
from stacks.rollout_stack import RolloutStack
from stacks.serving_stack import ServingStack


class TidegateStage(Stage):
    """The stacks of an environment: registry, control loop, endpoints, and what watches, retrains and calls them.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    environment
        What its file says.
    root
        The repository's folder.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, root: Path = ROOT) -> None:
        super().__init__(scope, construct_id, env=Place(account=environment.account, region=environment.region))
        functions = bundle_functions(root)
        registry = RegistryStack(self, "Registry", environment=environment, functions=functions)
        rollout = RolloutStack(self, "Rollout", environment=environment, functions=functions)
        rollout.add_stack_dependency(registry, reason="roles and packages")
        for endpoint in environment.endpoints:
            serving = ServingStack(
                self, f"Serving-{endpoint.name}", environment=environment, endpoint=endpoint, root=root
            )
            serving.add_stack_dependency(rollout, reason="the functions behind its custom resources")
        monitoring: MonitoringStack | None = None
        if environment.monitored:
            monitoring = MonitoringStack(self, "Monitoring", environment=environment, functions=functions, root=root)
            monitoring.add_stack_dependency(rollout, reason="the topic, and which version is live")
        if environment.retrained:
            retraining = RetrainingStack(self, "Retraining", environment=environment, functions=functions, root=root)
            retraining.add_stack_dependency(monitoring or rollout, reason="what it reacts to")
        if environment.called:
            inference = InferenceStack(self, "Inference", environment=environment, functions=functions, root=root)
            inference.add_stack_dependency(rollout, reason="the topic, and which version is live")
        Tags.of(self).add("tidegate:environment", environment.environment, exclude_resource_types=UNTAGGED)


def stage_for(scope: Construct, name: str | None) -> TidegateStage:
    """Return the stage of the environment called `name`.

    Raises
    ------
    ConfigError
        When there is no such environment, or its file is wrong.
    """
    if name is None:
        known = ", ".join(environment_names())
        raise ConfigError([Problem("env", name, f"it must be one of {known}", "add -c env=dev")])
    environment = load_environment(name)
    return TidegateStage(scope, f"tidegate-{environment.environment}", environment=environment)
