"""The model, as a stream asks it."""

from collections.abc import Sequence
from typing import Any

from lambdas.inference.ports import Ports
from lambdas.inference.predicting import Answered
from lambdas.inference.unattended import Asking, Unattended

CLIENT = "stream"
"""Who asks, in the audit and in segment rules."""


class EndpointModel:
    """Implements `lambdas.inference.streaming.ports.Model`.

    Parameters
    ----------
    unattended, ports
        Asks the endpoint; says what it takes.
    """

    def __init__(self, unattended: Unattended, ports: Ports) -> None:
        self._unattended, self._ports = unattended, ports

    def check(self, rows: Sequence[Any]) -> None:
        """Raise the `Problem` of rows that the live version does not take, as far as that is known."""
        view = self._ports.views.latest()
        signature = self._ports.signatures.of(view.live) if view is not None else None
        if signature is not None:
            signature.check(rows)

    def ask(self, identity: str, rows: Sequence[Any]) -> Answered:
        """Return the model's answer."""
        # Every request is a caller of its own: where callers keep to one version, a stream is still split as declared.
        return self._unattended.ask(Asking(identity, CLIENT, identity), rows)
