"""Which version a variant ran at a given moment, from what DescribeEndpoint and the configurations said."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from tidegate.demo.observations import UNKNOWN, Observations, Request, Sighting


class VersionTimeline:
    """Looks versions up by variant and time.

    A slot runs one version, is empty for a while, and runs another later; so a moment just before the first sighting of
    a slot's new tenant belongs to that tenant.

    Parameters
    ----------
    observations
        What was seen.
    """

    def __init__(self, observations: Observations) -> None:
        self._tenants: dict[str, list[tuple[float, str]]] = {}
        for sighting in observations.sightings:
            self._add(sighting, observations)

    def _add(self, sighting: Sighting, observations: Observations) -> None:
        versions = observations.configs.get(sighting.config, {})
        for variant in {*self._tenants, *sighting.weights}:
            known = self._tenants.setdefault(variant, [])
            last = known[-1][1] if known else ""
            tenant = versions.get(variant, last) if variant in sighting.weights else ""
            if not known or tenant != last:
                known.append((sighting.asked, tenant))

    def version(self, variant: str, at: float) -> str:
        """Return the version that `variant` ran at `at`."""
        known = self._tenants.get(variant, [])
        place = max(bisect_right(known, at, key=lambda entry: entry[0]) - 1, 0)
        return next((version for _, version in known[place:] if version), UNKNOWN)

    def of(self, request: Request) -> str:
        """Return the version that answered, or failed, a request."""
        return self.version(request.variant, request.done)


def shares_at(sighting: Sighting, timeline: VersionTimeline) -> dict[str, float]:
    """Return each version's share of the traffic (0 to 100) by the weights of a sighting."""
    total = sum(sighting.weights.values()) or 1.0
    return {
        timeline.version(variant, sighting.at): round(100 * weight / total, 2)
        for variant, weight in sighting.weights.items()
    }


def shares(observations: Observations, timeline: VersionTimeline) -> Iterator[tuple[float, dict[str, float]]]:
    """Yield each moment at which versions' shares of the traffic (0 to 100) were seen to have changed."""
    last: dict[str, float] | None = None
    for sighting in observations.sightings:
        now = shares_at(sighting, timeline)
        if now != last:
            yield sighting.at, now
            last = now
