"""Who waits for the device, and who is next: small requests and large ones each have a lane, and share every batch."""

from collections import deque
from collections.abc import Callable

from .ticket import Part, Ticket


class Backlog:
    """The tickets that wait. Used by the device thread only.

    A small request is never split, and small ones are served in the order in which they came. A large request is cut
    into parts; while small ones wait it gets half of every batch, and large ones take turns, so that neither a crowd of
    small requests nor one enormous request keeps the other waiting for ever.

    Parameters
    ----------
    most
        The rows of a batch.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._half = max(most // 2, 1)
        self._small: deque[Ticket] = deque()
        self._large: deque[Ticket] = deque()
        self._dropped: list[Ticket] = []

    def __bool__(self) -> bool:
        """Return whether anybody waits."""
        return bool(self._small or self._large)

    def add(self, ticket: Ticket) -> None:
        """Let a ticket wait."""
        # One row at a time cannot be shared: then all take turns.
        is_small = len(ticket.rows) <= self._half and self._most > 1
        (self._small if is_small else self._large).append(ticket)

    def drop(self, ticket: Ticket) -> None:
        """Forget a large ticket that has failed with rows still waiting."""
        if ticket.left and ticket in self._large:
            self._large.remove(ticket)

    def rows(self, enough: int) -> int:
        """Return how many rows wait, or any number from `enough` on."""
        count = 0
        for lane in (self._small, self._large):
            for ticket in lane:
                count += ticket.left
                if count >= enough:
                    return count
        return count

    def batch(self, is_awaited: Callable[[Ticket], bool]) -> tuple[list[Part], list[Ticket]]:
        """Return what is run next, and those who were to be but are not awaited any more."""
        self._discard_large(is_awaited)
        kept = min(self._half, self._large[0].left) if self._large else 0
        parts = self._take_small(self._most - kept, is_awaited)
        if kept:
            parts += self._take_large(self._most - _rows_of(parts))
            parts += self._take_small(self._most - _rows_of(parts), is_awaited)
        dropped, self._dropped = self._dropped, []
        return parts, dropped

    def _take_small(self, room: int, is_awaited: Callable[[Ticket], bool]) -> list[Part]:
        small, parts = self._small, []
        while small:
            ticket = small[0]
            if not is_awaited(ticket):
                self._dropped.append(small.popleft())
            elif len(ticket.rows) <= room:
                room -= len(ticket.rows)
                parts.append(small.popleft().take_all())
            else:
                break
        return parts

    def _take_large(self, room: int) -> list[Part]:
        large, parts = self._large, []
        while large and room:
            part = large.popleft().take(room)
            room -= part.count
            parts.append(part)
            if part.ticket.left:
                large.append(part.ticket)
        return parts

    def _discard_large(self, is_awaited: Callable[[Ticket], bool]) -> None:
        while self._large and not is_awaited(self._large[0]):
            self._dropped.append(self._large.popleft())


def _rows_of(parts: list[Part]) -> int:
    return sum([part.count for part in parts])
