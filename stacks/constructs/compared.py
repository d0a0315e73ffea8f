"""Which endpoints' versions are compared by what they answer to captured requests."""

from stacks.config import Environment


def compared_endpoints(environment: Environment) -> list[str]:
    """Return the SageMaker names of these endpoints; there is nothing for it in the templates without any."""
    return [
        endpoint.full_name(environment.environment)
        for endpoint in environment.endpoints
        if endpoint.rollout.judge is not None and endpoint.rollout.judge.answers is not None
    ]
