"""Deleting resources in order, keeping what their policies say to keep."""

from collections.abc import Sequence
from dataclasses import dataclass

from localcloud.deploy.actions import Actions
from localcloud.deploy.errors import explain
from localcloud.deploy.state import ResourceState


@dataclass(frozen=True)
class Doomed:
    """A resource to delete; `policy` may say to keep it."""

    state: ResourceState
    policy: str
    created_now: bool = False
    """Whether the operation that is rolled back created it (``RetainExceptOnCreate`` then deletes it)."""

    @property
    def kept(self) -> bool:
        """Whether the resource stays in the cloud."""
        return self.policy == "Retain" or (self.policy == "RetainExceptOnCreate" and not self.created_now)


def remove(actions: Actions, doomed: Sequence[Doomed]) -> dict[str, str]:
    """Delete `doomed` in the given order; return the reasons of those that failed, by logical id.

    What a resource that could not be deleted depends on is left alone too: it may still be in use.
    """
    failed: dict[str, str] = {}
    spared: set[str] = set()
    for entry in doomed:
        state = entry.state
        if state.logical_id in spared:
            failed[state.logical_id] = "something that depends on it could not be deleted"
            spared.update(state.dependencies)
            continue
        reason = _remove_one(actions, entry)
        if reason:
            failed[state.logical_id] = reason
            spared.update(state.dependencies)
    return failed


def _remove_one(actions: Actions, entry: Doomed) -> str:
    state = entry.state
    if entry.kept:
        actions.reporter.skipped(state.logical_id, state.type, state.made.physical_id, f"policy {entry.policy}")
        return ""
    try:
        actions.delete(state)
    except Exception as error:  # one that fails must not keep the others
        return explain(error)
    return ""


def summary(failed: dict[str, str]) -> str:
    """Return one line that names what could not be deleted."""
    return "; ".join(f"{name}: {reason}" for name, reason in sorted(failed.items()))
