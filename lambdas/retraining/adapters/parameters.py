"""Endpoints' retraining settings."""

import os

from lambdas.contract import ENV_ENVIRONMENT, retraining_parameter
from lambdas.retraining.settings import Settings
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import code_of, translated


class SsmSettings:
    """Implements `lambdas.retraining.ports.SettingsSource`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("ssm")

    def load(self, name: str) -> Settings | None:
        """Return an endpoint's settings; None when it is not retrained."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                found = self._client().get_parameter(Name=retraining_parameter(_environment(), name))
            except ClientError as error:
                if code_of(error) == "ParameterNotFound":
                    return None
                raise
        return Settings.from_json(found["Parameter"]["Value"])

    def all(self) -> list[Settings]:
        """Return the settings of every endpoint that is retrained."""
        request = {"Path": retraining_parameter(_environment(), "").rstrip("/")}
        found: list[Settings] = []
        while True:
            with translated():
                page = self._client().get_parameters_by_path(**request)
            found += [Settings.from_json(each["Value"]) for each in page["Parameters"]]
            if not page.get("NextToken"):
                return found
            request["NextToken"] = page["NextToken"]


def _environment() -> str:
    return os.environ[ENV_ENVIRONMENT]
