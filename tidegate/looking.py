"""Looks at an endpoint again and again, and gets over what fails in passing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from botocore.exceptions import BotoCoreError, ClientError

from tidegate import snapshot
from tidegate.aws import Aws
from tidegate.aws_errors import passes
from tidegate.live import VersionsByConfig
from tidegate.rollouts import AuditEntry
from tidegate.settings import EndpointSettings
from tidegate.snapshot import Snapshot
from tidegate.trail import Trail

LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Look:
    """What a look found.

    Parameters
    ----------
    snapshot
        The endpoint; as it was seen last if this look failed.
    fresh
        Audit entries that no look before has found.
    trail
        All that were found so far.
    trouble
        Why this look failed, if it did.
    """

    snapshot: Snapshot
    fresh: tuple[AuditEntry, ...]
    trail: tuple[AuditEntry, ...]
    trouble: str = ""


@dataclass(frozen=True)
class Clock:
    """Time, for a test to make it pass."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


class Looker:
    """Looks at one endpoint.

    Parameters
    ----------
    aws, endpoint, versions
        At what, and which version a variant runs.
    clock
        Time.
    trail
        The audit trail to follow; left out, from the start of the latest rollout on.
    """

    def __init__(
        self,
        aws: Aws,
        endpoint: EndpointSettings,
        versions: VersionsByConfig,
        clock: Clock | None = None,
        trail: Trail | None = None,
    ) -> None:
        self._aws = aws
        self._endpoint = endpoint
        self._versions = versions
        self._clock = clock or Clock()
        self._trail = trail or Trail.of_latest(aws, endpoint)
        self._last: Look | None = None

    def look(self) -> Look:
        """Look once; what fails in passing is told, unless nothing has been seen yet."""
        try:
            self._last = self._look()
        except (BotoCoreError, ClientError) as error:
            if self._last is None or not passes(error):
                raise
            self._last = replace(self._last, fresh=(), trouble=f"{error}; looking again")
        return self._last

    def _look(self) -> Look:
        # The trail is read later than the rest: once a rollout is seen to have ended, all of its entries are there.
        seen = snapshot.take(self._aws, self._endpoint, self._versions, self._clock.now())
        fresh = tuple(self._trail.fresh())
        return Look(seen, fresh, (self._last.trail if self._last else ()) + fresh)

    def until(self, over: Callable[[Snapshot], bool]) -> Iterator[Look]:
        """Look until it is over."""
        while True:
            found = self.look()
            yield found
            if over(found.snapshot):
                return
            self._clock.sleep(LOOK_SECONDS)
