"""How endpoints are monitored."""

import os

from lambdas.contract import ENV_ENVIRONMENT, monitoring_parameter
from lambdas.monitoring.adapters.clients import lazy
from lambdas.monitoring.settings import Settings
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated


class SsmSettings:
    """Implements `lambdas.monitoring.ports.SettingsSource`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or lazy("ssm")

    def load(self, endpoint: str) -> Settings:
        """Return how an endpoint is monitored."""
        parameter = monitoring_parameter(os.environ[ENV_ENVIRONMENT], endpoint)
        with translated():
            found = self._client().get_parameter(Name=parameter)
        return Settings.from_json(found["Parameter"]["Value"])
