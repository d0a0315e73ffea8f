"""SageMaker models that are made of others' descriptions.

Needs sagemaker:CreateModel and DeleteModel on them; and iam:PassRole, to SageMaker, of the role that the description
names.
"""

from collections.abc import Mapping
from typing import Any

from lambdas.inference.own_model import creation
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import AlreadyExistsError, MissingError


class OwnModels:
    """Makes and removes models of one's own.

    Parameters
    ----------
    client
        Of SageMaker.
    """

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("sagemaker")

    def make(self, name: str, described: Mapping[str, Any]) -> None:
        """Make a model, unless there is one of that name, which only its owner gives away."""
        try:
            with translated():
                self._client().create_model(**creation(name, described))
        except AlreadyExistsError:
            return

    def remove(self, name: str) -> None:
        """Remove a model; one that does not exist is removed."""
        try:
            with translated():
                self._client().delete_model(ModelName=name)
        except MissingError:
            return
