"""The rollout table in memory, written only under the table's conditions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lambdas.rollout import items
from lambdas.rollout.decision import Entry
from lambdas.rollout.episode import Episode
from lambdas.rollout.errors import ConflictError
from lambdas.rollout.judge import Paired
from lambdas.rollout.ports import Due
from lambdas.rollout.replacing import replace
from lambdas.rollout.state import Rollout, State


@dataclass(frozen=True)
class Write:
    """A transaction that is about to be made durable: the state before and after it, and what goes with it."""

    before: State | None
    after: State
    entries: tuple[Entry, ...]
    rollout: Rollout | None
    episode: Episode | None


READ_BACK_EVERY = 8
"""One version in so many is written down as an item and read back, which takes a fifth of a run when every one is.

Which states these are is another matter in each schedule, so that all the states of a rollout come by.
"""


def _read_back(state: State) -> State:
    if state.version % READ_BACK_EVERY:
        return state
    return items.read_state(items.state_item(state))


class MemoryStore:
    """Implements `lambdas.rollout.ports.Store`.

    Parameters
    ----------
    on_write
        Told of every write just before it becomes durable.
    paired
        How both versions answered the same requests.
    """

    def __init__(self, on_write: Callable[[Write], None], paired: tuple[Paired, ...] = ()) -> None:
        self._on_write = on_write
        self._paired = paired
        self._states: dict[str, State] = {}
        self._episodes: dict[str, dict[str, Episode]] = {}
        self.audit: list[Entry] = []

    def durable(self, name: str) -> State | None:
        """Return what was last written, for those who judge; it is not read back."""
        return self._states.get(name)

    def load(self, name: str) -> State | None:
        """Return the endpoint's state as it reads back, or None when it has none."""
        state = self._states.get(name)
        return _read_back(state) if state is not None else None

    def save(
        self,
        state: State,
        entries: Sequence[Entry] = (),
        *,
        now: float,  # noqa: ARG002 - the port's
        rollout: Rollout | None = None,
        episode: Episode | None = None,
    ) -> State:
        """Write the state with all that goes with it, if it is still what was read."""
        name, before = state.name, self.durable(state.name)
        self._check_unchanged(state, before)
        saved = replace(state, version=state.version + 1, audit_count=state.audit_count + len(entries))
        self._on_write(Write(before, saved, tuple(entries), rollout, episode))
        self._states[name] = saved
        self.audit += entries
        if episode is not None:
            read_back = items.read_episode(items.episode_item(name, episode))
            self._episodes.setdefault(name, {})[episode.package_arn] = read_back
        return saved

    def _check_unchanged(self, state: State, before: State | None) -> None:
        if state.version != (before.version if before is not None else 0):
            raise ConflictError("the item has changed since it was read")

    def episodes(self, name: str) -> dict[str, Episode]:
        """Return the approval episodes of the endpoint's packages by ARN."""
        return dict(self._episodes.get(name, {}))

    def pairs(self, name: str, rollout: str) -> tuple[Paired, ...]:  # noqa: ARG002 - the port's
        """Return how both versions of a rollout answered the same requests."""
        return self._paired

    def active(self) -> list[Due]:
        """Return the endpoints on which something is under way, those that have waited longest first."""
        return self._lane(items.ACTIVE_LANE)

    def idle(self) -> list[Due]:
        """Return the endpoints on which nothing is under way."""
        return self._lane(items.IDLE_LANE)

    def _lane(self, lane: str) -> list[Due]:
        found = [Due(name, state.wake or 0) for name, state in self._states.items() if items.lane_of(state) == lane]
        return sorted(found, key=lambda due: due.wake)
