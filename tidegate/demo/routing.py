"""Whether the requests went where the weights said."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from tidegate.demo.observations import Observations
from tidegate.demo.timeline import VersionTimeline, shares_at

SIGMAS = 4.5
SLACK_REQUESTS = 2
MARGIN_SECONDS = 2.0
"""Requests this close to a change of the weights are left out: nobody knows exactly when it took effect."""


@dataclass(frozen=True)
class Stretch:
    """A time of unchanging weights: each version's share in percent, and how many requests each answered."""

    shares: Mapping[str, float]
    answered: Mapping[str, int]

    @property
    def requests(self) -> int:
        """Requests in all."""
        return sum(self.answered.values())

    def excess(self, version: str) -> float:
        """Return by how many requests a version's count is further from its share than chance explains."""
        share = self.shares.get(version, 0.0) / 100
        off = abs(self.answered.get(version, 0) - self.requests * share)
        return off - SIGMAS * math.sqrt(self.requests * share * (1 - share)) - SLACK_REQUESTS

    def strays(self) -> Iterator[str]:
        """Say which versions answered more or fewer requests than their shares explain."""
        for version in sorted({*self.shares, *self.answered}):
            if self.excess(version) > 0:
                count, share = self.answered.get(version, 0), self.shares.get(version, 0.0)
                yield f"{version} at {share:g} % answered {count:,} of {self.requests:,}"


def stretches(seen: Observations, timeline: VersionTimeline) -> list[Stretch]:
    """Return every stretch that is long enough to be judged."""
    found = [
        _stretch(seen, timeline, shares, [(sighting.at, sighting.asked) for sighting in sightings])
        for shares, sightings in groupby(seen.sightings, key=lambda sighting: shares_at(sighting, timeline))
    ]
    return [stretch for stretch in found if stretch.requests]


def _stretch(
    seen: Observations, timeline: VersionTimeline, shares: Mapping[str, float], looks: list[tuple[float, float]]
) -> Stretch:
    # Answered at the first look, asked at the last: in between it was certainly so.
    since, until = looks[0][0] + MARGIN_SECONDS, looks[-1][1] - MARGIN_SECONDS
    within = (request for request in seen.requests if since <= request.sent <= until)
    return Stretch(shares, Counter(timeline.of(request) for request in within))
