"""One create or update of one stack: forward, and back when something fails."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from localcloud.deploy.actions import Actions
from localcloud.deploy.blueprint import Blueprint
from localcloud.deploy.errors import DeployFailedError, ResourceFailedError, UpdateRefusedError, explain
from localcloud.deploy.graph import ordered
from localcloud.deploy.removal import Doomed, remove, summary
from localcloud.deploy.resource_type import changed_properties
from localcloud.deploy.rollback import Step, roll_back
from localcloud.deploy.scope import Scope
from localcloud.deploy.state import Made, ResourceState, StackState
from localcloud.deploy.tags import with_stack_tags

CheckName = Callable[[str, str, str], None]
CheckExports = Callable[[dict[str, Any]], None]


@dataclass
class Deployment:
    """Brings one stack to what its blueprint asks for.

    Parameters
    ----------
    stack
        The stack, whose resources change as the deployment goes on.
    blueprint
        What the template asks for.
    actions
        How single resources are worked on.
    tags
        The stack's own tags, which resources inherit.
    check_name
        Takes type, physical name and logical id; raises if a stack has a resource of that name already.
    check_exports
        Takes the new exports; raises if another stack uses one that changes.
    creating
        Whether the stack is new.
    """

    stack: StackState
    blueprint: Blueprint
    actions: Actions
    tags: dict[str, str]
    check_name: CheckName
    check_exports: CheckExports
    creating: bool
    changes: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _steps: list[Step] = field(default_factory=list)

    def run(self) -> None:
        """Create or update everything that differs, then delete what is no longer wanted.

        Raises
        ------
        DeployFailedError
            After what was done has been rolled back.
        """
        original = dict(self.stack.resources)
        try:
            for logical_id in self.blueprint.order:
                self._bring(logical_id)
            outputs, exports = self.blueprint.outputs()
            self.check_exports(exports)
        except Exception as error:  # whatever it is, the stack must not stay half-way
            status = roll_back(self.actions, self._steps, creating=self.creating, reason=explain(error))
            self._forget_policies(original)
            raise DeployFailedError(self.stack.name, status, explain(error)) from error
        self.stack.outputs, self.stack.exports = outputs, exports
        self._complete()

    def _forget_policies(self, original: dict[str, ResourceState]) -> None:
        touched = {step.logical_id for step in self._steps}
        self.stack.resources.update({name: state for name, state in original.items() if name not in touched})

    def _complete(self) -> None:
        doomed = self._unwanted()
        if doomed:
            self._begin()
            self.actions.reporter.stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            self._clean_up(doomed)
        if self.creating:
            self.actions.reporter.stack("CREATE_COMPLETE")
        elif self.changes:
            self.actions.reporter.stack("UPDATE_COMPLETE")

    def _clean_up(self, doomed: list[Doomed]) -> None:
        for entry in doomed:
            if entry.state.logical_id not in self.blueprint.active:
                del self.stack.resources[entry.state.logical_id]
                self.changes.append((entry.state.logical_id, "delete"))
        failed = remove(self.actions, doomed)
        if failed:
            self.warnings.append(f"not deleted: {summary(failed)}")

    def _unwanted(self) -> list[Doomed]:
        """Return what was replaced or left the template, what depends on others first."""
        replaced = {step.logical_id: step.before for step in self._steps if step.replaced and step.before}
        gone = {name: state for name, state in self.stack.resources.items() if name not in self.blueprint.active}
        old = {**self.stack.resources, **replaced}
        order = reversed(ordered({name: state.dependencies for name, state in old.items()}))
        return [self._doom(old[name], name in replaced) for name in order if name in replaced or name in gone]

    def _doom(self, state: ResourceState, replaced: bool) -> Doomed:
        policy = self.stack.resources[state.logical_id].update_replace_policy if replaced else state.deletion_policy
        return Doomed(state, policy)

    def _begin(self) -> None:
        if not self.changes and self.stack.status not in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
            self.actions.reporter.stack("UPDATE_IN_PROGRESS")

    def _bring(self, logical_id: str) -> None:
        entry = self.blueprint.active[logical_id]
        kind = self.actions.catalogue(entry.type)
        desired = with_stack_tags(kind.tag_form, self.blueprint.desired(logical_id), self.tags)
        current = self.stack.resources.get(logical_id)
        if current is None:
            self._create(logical_id, desired, None)
        elif current.type != entry.type:
            raise UpdateRefusedError(f"{logical_id}: the type cannot change from {current.type} to {entry.type}")
        elif not changed_properties(current.properties, desired):
            self._record(replace(current, **self._policies(logical_id)))
        elif self.actions.replaces(current, desired):
            self._create(logical_id, desired, current)
        else:
            self._update(current, desired)

    def _policies(self, logical_id: str) -> dict[str, Any]:
        entry = self.blueprint.active[logical_id]
        return {
            "dependencies": tuple(self.blueprint.dependencies[logical_id]),
            "deletion_policy": entry.deletion_policy,
            "update_replace_policy": entry.update_replace_policy,
        }

    def _record(self, state: ResourceState) -> None:
        self.stack.resources[state.logical_id] = state

    def _create(self, logical_id: str, desired: dict[str, Any], before: ResourceState | None) -> None:
        self._begin()
        entry = self.blueprint.active[logical_id]
        scope = self.actions.scope(logical_id, entry.type)
        self._check_name(scope, desired, before)
        try:
            made = self.actions.create(scope, desired)
        except Exception:
            self._note_partial(scope, desired, before)
            raise
        self._done("replace" if before else "create", before, self._state(scope, made, desired, "CREATE_COMPLETE"))

    def _check_name(self, scope: Scope, desired: dict[str, Any], before: ResourceState | None) -> None:
        name_property = self.actions.catalogue(scope.type).name_property
        name = desired.get(name_property) if name_property else None
        if name is None:
            return
        if before and before.properties.get(name_property or "") == name:
            raise ResourceFailedError(
                f"{scope.logical_id}: CloudFormation cannot update a stack when a custom-named resource requires "
                f"replacing. Rename {name} and update the stack again."
            )
        self.check_name(scope.type, str(name), scope.logical_id)

    def _note_partial(self, scope: Scope, desired: dict[str, Any], before: ResourceState | None) -> None:
        if scope.noted is not None:
            partial = self._state(scope, scope.noted, desired, "CREATE_FAILED")
            self._done("replace" if before else "create", before, partial)

    def _update(self, current: ResourceState, desired: dict[str, Any]) -> None:
        self._begin()
        scope = self.actions.scope(current.logical_id, current.type)
        try:
            made = self.actions.update(current, desired)
        except UpdateRefusedError:
            raise
        except Exception:
            self._done("update", current, self._state(scope, current.made, desired, "UPDATE_FAILED"))
            raise
        self._done("update", current, self._state(scope, made, desired, "UPDATE_COMPLETE"))

    def _state(self, scope: Scope, made: Made, desired: dict[str, Any], status: str) -> ResourceState:
        return ResourceState(
            logical_id=scope.logical_id,
            type=scope.type,
            made=made,
            properties=desired,
            status=status,
            changed_at=time.time(),
            **self._policies(scope.logical_id),
        )

    def _done(self, kind: str, before: ResourceState | None, after: ResourceState) -> None:
        self._steps.append(Step(kind, before, after))
        self.changes.append((after.logical_id, kind))
        self._record(after)
