"""Failures of caches to ask for."""

import threading
from collections.abc import Callable
from typing import Protocol

Undo = Callable[[], None]


class CacheControl(Protocol):
    """What can be done to a running cache."""

    def kill(self, name: str) -> None:
        """Let it die."""

    def freeze(self, name: str) -> None:
        """Let it hang."""

    def thaw(self, name: str) -> None:
        """Let it go on."""


class CacheFaults:
    """What tests and rehearsals order of caches, until they undo it.

    Parameters
    ----------
    control
        Does it.
    revive
        Starts a cache that was killed, empty.
    """

    def __init__(self, control: CacheControl, revive: Callable[[str], None]) -> None:
        self._control = control
        self._revive = revive
        self._lock = threading.Lock()
        self._undoing: dict[int, Undo] = {}

    def kill(self, name: str) -> Undo:
        """Let a cache die: its connections end and new ones are refused, until the returned function is called.

        It then starts again, empty. KeyError if there is no such cache.
        """
        self._control.kill(name)
        return self._until_undone(lambda: self._revive(name))

    def hang(self, name: str) -> Undo:
        """Let a cache hang: connections can be made and nothing is answered, until the returned function is called."""
        self._control.freeze(name)
        return self._until_undone(lambda: self._control.thaw(name))

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            waiting, self._undoing = list(self._undoing.values()), {}
        for undo in waiting:
            undo()

    def _until_undone(self, undo: Undo) -> Undo:
        with self._lock:
            self._undoing[id(undo)] = undo
        return lambda: self._undo_once(id(undo))

    def _undo_once(self, key: int) -> None:
        with self._lock:
            undo = self._undoing.pop(key, None)
        if undo is not None:
            undo()
