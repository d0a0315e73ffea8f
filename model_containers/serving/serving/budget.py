"""How many bytes of request bodies are held at a time."""


class Budget:
    """The bytes that all requests in flight may hold together. Touched by the event loop only."""

    def __init__(self, limit: int) -> None:
        self.held = 0
        self._limit = limit

    def reserve(self, count: int) -> bool:
        """Hold `count` bytes more; return whether there were so many left."""
        if self.held + count > self._limit:
            return False
        self.held += count
        return True


class Share:
    """What one request holds of a budget, until it gives that up."""

    __slots__ = ("_budget", "_held", "refused")

    def __init__(self, budget: Budget) -> None:
        self.refused = False
        self._budget = budget
        self._held = 0

    def take(self, count: int) -> bool:
        """Hold `count` bytes more; after one refusal, never again."""
        self.refused = self.refused or not self._budget.reserve(count)
        if not self.refused:
            self._held += count
        return not self.refused

    def give_up(self) -> None:
        """Hold nothing."""
        self._budget.held -= self._held
        self._held = 0
