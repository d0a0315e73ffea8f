"""The retraining table in DynamoDB."""

import os
from collections.abc import Sequence
from dataclasses import replace

from lambdas import contract
from lambdas.retraining import items
from lambdas.retraining.decision import Entry
from lambdas.retraining.state import State, Summary
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.tables import get
from lambdas.rollout.adapters.transactions import put, transact


class DynamoStore:
    """Implements `lambdas.retraining.ports.Store`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("dynamodb")

    def load(self, name: str) -> State:
        """Return the endpoint's state; a fresh one when there is none."""
        item = get(self._client, _table(), items.key(name, items.STATE_KEY))
        return items.read_state(item) if item is not None else State(name)

    def save(self, state: State, entries: Sequence[Entry] = (), summary: Summary | None = None, *, now: float) -> State:
        """Write the state with its audit entries and a run's summary in one transaction."""
        saved = replace(state, version=state.version + 1, audit_count=state.audit_count + len(entries))
        writes = [put(_table(), items.state_item(saved), state.version)]
        writes += [
            put(_table(), items.audit_item(state.name, entry, number, now))
            for number, entry in enumerate(entries, start=state.audit_count + 1)
        ]
        if summary is not None:
            writes.append(put(_table(), items.run_item(state.name, summary)))
        transact(self._client, writes, "retraining item")
        return saved


def _table() -> str:
    return os.environ[contract.ENV_RETRAINING_TABLE]
