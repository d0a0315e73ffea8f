"""An endpoint's audit trail from some moment on: reads only what may be new, and tells every entry once."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate import rollouts
from tidegate.aws import Aws
from tidegate.rollouts import AuditEntry
from tidegate.settings import EndpointSettings

_NO_ROLLOUT = "-"
_AFTER_ALL = "~"


class Trail:
    """What is added to an endpoint's audit trail.

    Entries lie under their rollout's id, those of no rollout under ``-``; rollout ids rise with time. So two short
    queries find all that is new, whatever the length of the trail.

    Parameters
    ----------
    aws, endpoint
        Whose trail.
    after
        Number of the last entry that is not asked for.
    rollout
        The latest rollout of that moment, if there has been one; earlier ones get no entries worth following.
    """

    def __init__(self, aws: Aws, endpoint: EndpointSettings, *, after: int, rollout: str | None) -> None:
        self._aws = aws
        self._endpoint = endpoint
        self._after = after
        self._since = rollout or ""
        self._apart = f"{after:08d}"
        self._told: set[str] = set()

    @classmethod
    def of_latest(cls, aws: Aws, endpoint: EndpointSettings) -> Trail:
        """Return the trail from the start of the latest rollout on; all of it when there has been none."""
        latest = rollouts.latest(aws, endpoint)
        begun = rollouts.audit(aws, endpoint, latest.id) if latest else []
        return cls(aws, endpoint, after=begun[0].number - 1 if begun else 0, rollout=latest.id if latest else None)

    @classmethod
    def from_now(cls, aws: Aws, endpoint: EndpointSettings) -> Trail:
        """Return what is added from now on."""
        # Read in this order: a rollout that starts in between is looked into, not passed over.
        latest, state = rollouts.latest(aws, endpoint), rollouts.load(aws, endpoint)
        return cls(aws, endpoint, after=state.audit_count if state else 0, rollout=latest.id if latest else None)

    def fresh(self) -> list[AuditEntry]:
        """Return the entries that have not been returned before, in the order of time."""
        found = [entry for entry in self._read() if entry.number > self._after and entry.key not in self._told]
        for entry in found:
            self._told.add(entry.key)
            if entry.rollout:
                self._since = max(self._since, entry.rollout)
            else:
                self._apart = f"{entry.number:08d}"
        return sorted(found, key=lambda entry: entry.number)

    def _read(self) -> Iterator[AuditEntry]:
        yield from self._between(f"{_NO_ROLLOUT}#{self._apart}", f"{_NO_ROLLOUT}#{_AFTER_ALL}")
        yield from self._between(self._since or "0", _AFTER_ALL)

    def _between(self, first: str, last: str) -> list[AuditEntry]:
        return rollouts.audit_between(self._aws, self._endpoint, first, last)
