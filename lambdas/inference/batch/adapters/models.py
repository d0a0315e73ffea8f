"""The model that is live, and runs' own models.

Needs what `lambdas.inference.adapters.live_model` and `lambdas.inference.adapters.own_models` need; and, where answers
are asked for by key, what the signatures need as well.
"""

from dataclasses import replace

from lambdas.inference.adapters.live_model import live_model
from lambdas.inference.adapters.own_models import OwnModels
from lambdas.inference.batch.state import Model
from lambdas.inference.own_model import description
from lambdas.inference.ports import Signatures
from lambdas.inference.view import Served
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.errors import MissingError, RetryableError


class LiveModels:
    """Implements `lambdas.inference.batch.ports.Models`.

    Parameters
    ----------
    store, client
        The rollout table, and SageMaker's client.
    signatures
        What models take, where rows bring keys along; None where they do not.
    """

    def __init__(
        self, store: DynamoStore | None = None, client: Lazy | None = None, signatures: Signatures | None = None
    ) -> None:
        self._signatures = signatures
        self._store = store or DynamoStore()
        self._client = client or Lazy("sagemaker")
        self._own = OwnModels(self._client)

    def live(self, endpoint: str) -> Model:
        """Return the model that is live."""
        live = live_model(endpoint, self._store, self._client)
        if live is None:
            raise MissingError(f"{endpoint} has no rollout item; it is created with the endpoint's first deployment")
        described = description(live.model)
        model = Model(live.variant["ModelName"], live.version, live.key, described, sha256=live.sha256)
        return self._with_columns(model, live.slot) if self._signatures is not None else model

    def make(self, model: Model) -> None:
        """Make a run's own model, unless it is there."""
        self._own.make(model.name, model.description)

    def remove(self, name: str) -> None:
        """Remove a run's own model; one that does not exist is removed."""
        self._own.remove(name)

    def _with_columns(self, model: Model, slot: str) -> Model:
        """Return the model with what is to be known of its rows and answers so that they can be told from keys."""
        assert self._signatures is not None
        signature = self._signatures.of(Served(slot, model.version, model.key, model.key))
        if signature is None:
            raise RetryableError(
                f"what {model.version} takes is not known, so that its answers cannot be told from its rows: register "
                "it with a signature.json, or leave batch.serve out"
            )
        return replace(model, width=signature.width, outputs=signature.outputs)
