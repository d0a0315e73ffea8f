"""Ports whose every call takes time and may be the last of the process that makes it, before its effect or after."""

from typing import Any

CALL_SECONDS = 0.05


class CrashError(BaseException):
    """The process is killed; nothing of ours may catch this."""


class Mortal:
    """A world whose process is killed at call number `crash_at`, before its effect or after."""

    time: float
    calls = 0
    crash_at: int | None = None
    crash_after = False

    def strikes(self, name: str) -> bool:
        """Return whether the process dies in the present call, of that name."""
        return self.calls == self.crash_at


class Watched:
    """A port of a world."""

    def __init__(self, world: Mortal, target: Any) -> None:
        self._world, self._target = world, target

    def __getattr__(self, name: str) -> Any:
        method, world = getattr(self._target, name), self._world

        def call(*args: Any, **options: Any) -> Any:
            world.time += CALL_SECONDS
            world.calls += 1
            struck = world.strikes(name)
            if struck and not world.crash_after:
                raise CrashError
            result = method(*args, **options)
            if struck:
                raise CrashError
            return result

        return call
