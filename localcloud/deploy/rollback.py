"""The way back after a failed create or update of a stack."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from localcloud.deploy.actions import Actions
from localcloud.deploy.errors import explain
from localcloud.deploy.removal import Doomed, remove, summary
from localcloud.deploy.state import ResourceState


@dataclass(frozen=True)
class Step:
    """Something that was done to a resource: ``create``, ``update`` or ``replace``."""

    kind: str
    before: ResourceState | None
    after: ResourceState

    @property
    def logical_id(self) -> str:
        """The resource."""
        return self.after.logical_id

    @property
    def replaced(self) -> bool:
        """Whether the resource before is another than the one after."""
        return self.before is not None and self.before.made.physical_id != self.after.made.physical_id


def roll_back(actions: Actions, steps: Sequence[Step], *, creating: bool, reason: str) -> str:
    """Undo `steps`, the last first; return the stack's status then."""
    prefix = "ROLLBACK" if creating else "UPDATE_ROLLBACK"
    if not steps and not creating and actions.stack.status != "UPDATE_IN_PROGRESS":
        actions.reporter.stack("UPDATE_IN_PROGRESS")
    actions.reporter.stack(f"{prefix}_IN_PROGRESS", reason)
    doomed: list[Doomed] = []
    try:
        for step in reversed(steps):
            doomed.extend(_undo(actions, step))
    except Exception as error:  # what cannot be undone is reported; a person must decide
        actions.reporter.stack(f"{prefix}_FAILED", f"{reason}; then the roll-back failed: {explain(error)}")
        return actions.stack.status
    return _finish(actions, doomed, prefix, reason)


def _finish(actions: Actions, doomed: list[Doomed], prefix: str, reason: str) -> str:
    if doomed and prefix == "UPDATE_ROLLBACK":
        actions.reporter.stack("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", reason)
    failed = remove(actions, doomed)
    if failed and prefix == "ROLLBACK":
        kept = {entry.state.logical_id: entry.state for entry in doomed if entry.state.logical_id in failed}
        actions.stack.resources.update(kept)
        actions.reporter.stack("ROLLBACK_FAILED", f"{reason}; not deleted: {summary(failed)}")
    else:
        note = f"{reason}; not deleted: {summary(failed)}" if failed else reason
        actions.reporter.stack(f"{prefix}_COMPLETE", note)
    return actions.stack.status


def _undo(actions: Actions, step: Step) -> list[Doomed]:
    """Undo one step; return what is to be deleted once everything is undone."""
    if step.before is None:
        del actions.stack.resources[step.logical_id]
        return [Doomed(step.after, step.after.deletion_policy, created_now=True)]
    if step.kind == "replace":
        actions.stack.resources[step.logical_id] = step.before
        return [Doomed(step.after, step.after.deletion_policy, created_now=True)]
    return _undo_update(actions, step, step.before)


def _undo_update(actions: Actions, step: Step, before: ResourceState) -> list[Doomed]:
    made = actions.update(step.after, before.properties)
    actions.stack.resources[step.logical_id] = replace(before, made=made)
    if made.physical_id == step.after.made.physical_id:
        return []
    return [Doomed(step.after, "Delete", created_now=True)]
