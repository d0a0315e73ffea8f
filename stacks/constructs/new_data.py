"""Which endpoints' models are trained anew when there are new labels."""

from stacks.config import Environment


def endpoints_with_new_data(environment: Environment) -> list[str]:
    """Return the SageMaker names of these endpoints."""
    return [
        endpoint.full_name(environment.environment)
        for endpoint in environment.endpoints
        if endpoint.retraining is not None and endpoint.retraining.on_new_data
    ]
