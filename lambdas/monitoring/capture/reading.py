"""What counting a window goes by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lambdas.monitoring.capture.layout import Layout
from lambdas.monitoring.capture.slicing import Slicer
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.quality import OutputRoles

_PARTS_AFTER_VARIANT = 5
"""Year, month, day, hour and file."""


@dataclass(frozen=True)
class Reading:
    """How a window's captured lines are read.

    Parameters
    ----------
    baseline
        Whose columns, outputs, bins and levels are counted.
    start, end
        The window, in epoch seconds: lines from `start` until before `end` are counted.
    labels
        Labels by the id of their request; None when they are not looked at.
    slices
        Columns by whose values performance is counted apart.
    versions
        Model version by production variant.
    fresh
        Files of which this window accounts for the lines that came too late for their own window's look, with the epoch
        seconds when each was last written; None: all, whenever written.
    own
        Files that were last written within this window, which accounts for their lines that do not say when they are
        from; None: the fresh ones.
    roles
        Which output is what; None for what the baseline says.
    see
        Is told the id of every request that is counted.
    """

    baseline: Baseline
    start: float
    end: float
    labels: Mapping[str, str] | None = None
    slices: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    fresh: Mapping[str, float] | None = None
    own: frozenset[str] | None = None
    roles: OutputRoles | None = None
    see: Callable[[str], object] | None = None

    @cached_property
    def inputs(self) -> Layout:
        """Return the layout of requests."""
        return Layout.of((name, reference.kind.value) for name, reference in self.baseline.columns.items())

    @cached_property
    def outputs(self) -> Layout:
        """Return the layout of answers."""
        return Layout.of((name, reference.kind.value) for name, reference in self.baseline.outputs.items())

    @cached_property
    def output_roles(self) -> OutputRoles:
        """Return which output is what."""
        return self.roles or self.baseline.output_roles

    @cached_property
    def slicers(self) -> tuple[Slicer, ...]:
        """Return what names the slices that a row lies in; columns that the baseline does not have are left out."""
        known = [name for name in self.slices if name in self.baseline.columns]
        return tuple(Slicer.of(name, self.inputs.places[name], self.baseline.columns[name]) for name in known)

    def is_fresh(self, where: str) -> bool:
        """Return whether this window accounts for the late lines of a file."""
        return self.fresh is None or where in self.fresh

    def is_own(self, where: str) -> bool:
        """Return whether this window accounts for the lines of a file that do not say when they are from.

        It is the window in which the file was written: what is broken must not be counted with a window that is not.
        """
        return self.is_fresh(where) if self.own is None else where in self.own

    def is_beyond(self, at: float, where: str) -> bool:
        """Return whether a time lies so far after a file was written that no later window will look for it there."""
        if self.fresh is None:
            return False
        length = self.end - self.start
        of_its_window = self.start + (at - self.start) // length * length
        return where in self.fresh and of_its_window > self.fresh[where]


def variant_of(where: str) -> str:
    """Return the production variant whose captures a path holds; empty when it is laid out otherwise."""
    parts = where.split("/")
    return parts[-1 - _PARTS_AFTER_VARIANT] if len(parts) > _PARTS_AFTER_VARIANT else ""
