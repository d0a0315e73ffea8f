"""Batches in the front doors' table.

Needs dynamodb:GetItem and dynamodb:PutItem (TransactWriteItems) on the front doors' table (`TIDEGATE_INFERENCE_TABLE`),
for the partition ``BATCH#<endpoint>``.
"""

import os
from collections.abc import Sequence
from dataclasses import replace

from lambdas import contract
from lambdas.inference.batch import items
from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import State, Summary
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.tables import get
from lambdas.rollout.adapters.transactions import put, transact


class DynamoStore:
    """Implements `lambdas.inference.batch.ports.Store`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("dynamodb")

    def load(self, name: str) -> State:
        """Return the endpoint's state; a fresh one when there is none."""
        item = get(self._client, _table(), items.key(name, items.STATE_KEY))
        return items.read_state(item) if item is not None else State(name)

    def save(self, state: State, summaries: Sequence[Summary], plan: Plan) -> State:
        """Write the state and the summaries of runs in one transaction."""
        saved = replace(state, version=state.version + 1)
        writes = [put(_table(), items.state_item(saved), state.version)]
        writes += [put(_table(), items.run_item(state.name, summary, plan)) for summary in summaries]
        transact(self._client, writes, "batch item")
        return saved


def _table() -> str:
    return os.environ[contract.ENV_INFERENCE_TABLE]
