"""Endpoints' settings."""

import os

from lambdas.contract import ENV_ENVIRONMENT, endpoint_parameter
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.settings import Settings


class SsmSettings:
    """Implements `lambdas.rollout.ports.SettingsSource`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("ssm")

    def load(self, name: str) -> Settings:
        """Return an endpoint's settings."""
        parameter = endpoint_parameter(os.environ[ENV_ENVIRONMENT], name)
        with translated():
            found = self._client().get_parameter(Name=parameter)
        return Settings.from_json(found["Parameter"]["Value"])
