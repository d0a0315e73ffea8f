"""Removes what an endpoint leaves behind: configs and models of the engine's and of the template's, and its items."""

from collections.abc import Mapping
from typing import Any, Protocol

from lambdas.contract import SLOTS, TABLE_PARTITION_KEY, TABLE_SORT_KEY, pin_key
from lambdas.rollout import items
from lambdas.rollout.observation import EndpointView
from lambdas.rollout.ports import Autoscaling
from lambdas.rollout.seeds import Seeds, SeedTable
from lambdas.rollout.state import State

_MADE = {"EndpointConfigName": "config", "ModelName": "model"}
_MADE_PREFIX = "MADE#"


class CleanTable(SeedTable, Protocol):
    """What the clean-up needs of the table."""

    def load(self, name: str) -> State | None:
        """Return the endpoint's state."""

    def items_of(self, name: str, prefix: str = "") -> list[dict[str, Any]]:
        """Return an endpoint's items."""


class CleanEndpoints(Protocol):
    """What the clean-up needs of SageMaker."""

    def describe(self, name: str) -> EndpointView:
        """Look at an endpoint."""

    def models_of(self, config: str) -> list[str]:
        """Return the models that a config names."""

    def delete(self, kind: str, name: str) -> None:
        """Delete an endpoint config or a model."""


class Cleaner:
    """Leaves nothing of an endpoint that is gone."""

    def __init__(self, table: CleanTable, endpoints: CleanEndpoints, autoscaling: Autoscaling) -> None:
        self._table = table
        self._endpoints = endpoints
        self._autoscaling = autoscaling

    def remember(self, name: str, properties: Mapping[str, Any]) -> None:
        """Record the config and model that the template makes; a later version of it may retain them."""
        for title, kind in _MADE.items():
            if title in properties:
                made = str(properties[title])
                self._table.put_new({**items.key(name, f"{_MADE_PREFIX}{kind}#{made}"), "kind": kind, "made": made})

    def stays(self, name: str) -> bool:
        """Return whether the endpoint is there and not being deleted."""
        return self._endpoints.describe(name).status not in ("Missing", "Deleting")

    def is_gone(self, name: str) -> bool:
        """Return whether there is no such endpoint."""
        return self._endpoints.describe(name).status == "Missing"

    def clean(self, name: str) -> None:
        """Remove configs, models, scalable targets and, once that is done, the items that name them."""
        for kind, made in self._made(name):
            self._endpoints.delete(kind, made)
        for slot in SLOTS:
            self._autoscaling.release(name, slot)
        for item in self._table.items_of(name):
            self._table.delete({key: item[key] for key in (TABLE_PARTITION_KEY, TABLE_SORT_KEY)})

    def _made(self, name: str) -> list[tuple[str, str]]:
        state = self._table.load(name)
        made = [(artefact.kind, artefact.name) for artefact in state.artefacts] if state else []
        made += [(item["kind"], item["made"]) for item in self._table.items_of(name, _MADE_PREFIX)]
        pinned = (Seeds(self._table).find(pin_key(name)) or {}).get("EndpointConfigName")
        if pinned:
            made += [("model", model) for model in self._endpoints.models_of(pinned)]
            made += [("config", pinned)]
        return made
