"""Ports whose every call takes time, may be refused, and may be the last of its process, before its effect or after."""

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

    def refusal(self, name: str) -> Exception | None:
        """Return what the present call, of that name, is answered with instead of doing anything, if it is."""
        return None


class Watched:
    """A port of a world."""

    def __init__(self, world: Mortal, target: Any) -> None:
        self._world, self._target = world, target

    def __getattr__(self, name: str) -> Any:
        method, world = getattr(self._target, name), self._world

        def call(*args: Any, **options: Any) -> Any:
            world.time += CALL_SECONDS
            world.calls += 1
            refusal = world.refusal(name)
            if refusal is not None:
                raise refusal
            struck = world.strikes(name)
            if struck and not world.crash_after:
                raise CrashError
            result = method(*args, **options)
            if struck:
                raise CrashError
            return result

        return call
