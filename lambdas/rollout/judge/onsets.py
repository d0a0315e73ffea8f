"""From when harm is counted: a version may be good for a day and turn bad.

Evidence since the first traffic is strongest against a version that was worse from the beginning. Against one that
turns bad later it must first make up for all the time in which the version was fine. So harm is counted anew from when
a step's weight was verified, and from each full hour after that, the latest two at a time.

Each such beginning is one more chance of a false alarm, and so asks for more: the n-th 20 n (n + 1) to 1. As
1/2 + 1/6 + 1/12 + ... = 1, all the beginnings of a step together are as likely to cry wolf as one that asks for 20:1
(Ville 1939, and Boole's inequality), however long the step lasts.
"""

from collections.abc import Iterator

from lambdas.rollout.judge.counts import Series

HOUR = 3600.0


def onsets(series: Series, step_since: float) -> Iterator[tuple[Series, float]]:
    """Return what was counted since each beginning, and how many times as much evidence it needs."""
    latest = max((stratum.at for stratum in (*series.errors, *series.latency)), default=step_since)
    hours = int(max(latest - step_since, 0.0) // HOUR)
    for hour in range(max(hours - 1, 0), hours + 1):
        counted = series.since(step_since + hour * HOUR)
        if counted != series:  # which all of it is held against anyway, with less caution
            yield counted, (hour + 1.0) * (hour + 2.0)
