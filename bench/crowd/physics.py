"""An endpoint as far as the engine can tell: busy while it changes, and its variants' weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from lambdas.rollout.observation import EndpointView, Variant

ALL = 100.0


@dataclass
class Endpoint:
    """One endpoint; what it begins ends by itself, at the next look after its time."""

    name: str
    config: str
    variants: dict[str, Variant] = field(default_factory=lambda: {"blue": Variant(ALL, ALL, 1, 1)})
    configs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    busy_until: float = 0.0
    modified_at: float = 0.0
    bad_at: float = float("inf")
    _then: Callable[[], None] | None = None

    def view(self, now: float) -> EndpointView:
        """Describe it."""
        self._settle(now)
        status = "Updating" if self._then else "InService"
        return EndpointView(status, self.config, dict(self.variants), "", self.modified_at)

    def busy(self, now: float) -> bool:
        """Return whether it refuses changes."""
        self._settle(now)
        return self._then is not None

    def update(self, config: str, now: float, until: float) -> None:
        """Begin to put a config live."""

        def done() -> None:
            alone = len(self.configs[config]) == 1
            new = {slot: Variant(*(2 * (ALL if alone else 0.0,)), 1, 1) for slot in self.configs[config]}
            self.variants = {slot: self.variants.get(slot, variant) for slot, variant in new.items()}
            self.config = config

        self._begin(now, until, done)

    def set_weights(self, weights: Mapping[str, float], now: float, until: float) -> None:
        """Begin to change weights."""
        wanted = {slot: replace(self.variants[slot], desired_weight=weight) for slot, weight in weights.items()}
        self.variants |= wanted
        done = {slot: replace(variant, weight=variant.desired_weight) for slot, variant in wanted.items()}
        self._begin(now, until, lambda: self.variants.update(done))

    def set_capacity(self, slot: str, count: int) -> None:
        """Change an instance count."""
        self.variants[slot] = replace(self.variants[slot], count=count, desired_count=count)

    def _begin(self, now: float, until: float, then: Callable[[], None]) -> None:
        self.modified_at, self.busy_until, self._then = now, until, then

    def _settle(self, now: float) -> None:
        if self._then is not None and now >= self.busy_until:
            then, self._then = self._then, None
            then()
            self.modified_at = self.busy_until
