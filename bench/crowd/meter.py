"""Virtual time that every call takes some of, and the count of what is called; what is too much is refused."""

from collections import Counter, defaultdict

from bench.crowd.budget import Budget

START = 1_800_000_000.0


class VirtualTime:
    """Implements `lambdas.rollout.ports.Clock`: the time as the invocation sees it whose turn it is."""

    def __init__(self) -> None:
        self.time = START
        self.beside = 1
        """How many endpoints share the function's processor."""

    def now(self) -> float:
        """Return epoch seconds."""
        return self.time

    def elapsed(self) -> float:
        """Return seconds on a clock that never jumps."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.time += seconds


class Meter:
    """Counts by the second."""

    def __init__(self, clock: VirtualTime, budget: Budget) -> None:
        self.model = budget.model
        self._clock = clock
        self._budget = budget
        self.counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.refused: Counter[str] = Counter()
        self._taken: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def call(self, api: str) -> bool:
        """Make a call; return whether AWS takes it: no more in a second than its quota, and nothing is saved up."""
        second, limit = int(self._clock.time), self._budget.limits.get(api)
        self._clock.time += self.model.call(api) + self.model.processor * self._clock.beside
        self.counts[api][second] += 1
        if limit is not None and limit.per_second is not None and self._taken[api][second] >= limit.per_second:
            self.refused[api] += 1
            return False
        self._taken[api][second] += 1
        return True

    def use(self, what: str, units: float) -> None:
        """Count units of something."""
        self.counts[what][int(self._clock.time)] += units  # type: ignore[assignment]
