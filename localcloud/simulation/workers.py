"""The functions of the control loop, as the platform calls them: at least once, now and then too late, and killed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lambdas.rollout.admission import Said
from lambdas.rollout.approvals import Approvals, poke
from lambdas.rollout.engine import Engine
from lambdas.rollout.errors import LeaseHeldError, PermanentError, TidegateError
from lambdas.rollout.operators import take_command
from lambdas.rollout.ports import Ports
from lambdas.rollout.state import Command
from lambdas.rollout.sweeper import PERIOD, Sweeper
from localcloud.clock import VirtualClock
from localcloud.simulation.boundary import Boundary, Worker
from localcloud.simulation.faults import KilledError
from localcloud.simulation.guarded_ports import GuardedPorts

WHILE_HELD = 2.0
NEWS_SECONDS = 30.0
"""As the handler of events has them."""

_ASYNC_RETRIES = (60.0, 120.0)
"""Waits of Lambda before it repeats an asynchronous call that failed."""

_VISIBILITY_SECONDS = 150.0
_MOST_RECEIVES = 5


@dataclass(frozen=True)
class News:
    """An event by which a composite alarm has gone to ALARM."""

    alarm: str
    at: float


class Workers:
    """Invokes the functions.

    Parameters
    ----------
    clock, boundary, ports
        Time, the boundary to the world, and the engine's ports to it.
    name
        The endpoint.
    unforeseen
        Told of an error that is none of the engine's own: a mistake in its code.
    """

    def __init__(
        self,
        clock: VirtualClock,
        boundary: Boundary,
        ports: GuardedPorts,
        name: str,
        unforeseen: Callable[[Exception], None],
    ) -> None:
        self._clock = clock
        self._boundary = boundary
        self._ports = ports
        self._name = name
        self._unforeseen = unforeseen
        self._invocations = 0
        self.sweeps = 0
        self.repeats = 0
        """Packages and commands that are taken in again later, because it has failed."""

    def react(self, event: Command | News | None = None, attempt: int = 0) -> None:
        """Look at the endpoint because of an event; a command is made durable first."""
        matters = isinstance(event, Command)
        self.repeats -= matters and attempt > 0
        if not self._invoke("react", partial(self._react, event)) and attempt < len(_ASYNC_RETRIES):
            self.repeats += matters
            self._clock.call_later(_ASYNC_RETRIES[attempt], partial(self.react, event, attempt + 1))

    def timer(self, due: float | None, receive: int = 1) -> None:
        """Look at the endpoint because a timer has run out."""
        if not self._invoke("timer", partial(self._on_timer, due)) and receive < _MOST_RECEIVES:
            self._clock.call_later(_VISIBILITY_SECONDS, partial(self.timer, due, receive + 1))

    def admit(self, arn: str, said: Said, receive: int = 1) -> None:
        """Take in what has become of a package."""
        consider = partial(self._admit, arn, said)
        self.repeats -= receive > 1
        if not self._invoke("admit", consider) and receive < _MOST_RECEIVES:
            self.repeats += 1
            self._clock.call_later(_VISIBILITY_SECONDS, partial(self.admit, arn, said, receive + 1))

    def tick(self) -> None:
        """Sweep, and have the next sweep made in a minute."""
        self._clock.call_later(PERIOD, self.tick)
        if self._invoke("tick", self._sweep):
            self.sweeps += 1

    def act(self, what: str, work: Callable[[Ports], object]) -> None:
        """Let another function do its work, once."""
        self._invoke(what, lambda _, ports: work(ports))

    def _invoke(self, what: str, work: Callable[[str, Ports], object]) -> bool:
        """Run one invocation and return whether it ended well; it may come in the middle of another one's call."""
        self._invocations += 1
        interrupted, owner = self._boundary.worker, f"{what}-{self._invocations}"
        self._boundary.worker = Worker(owner, self._clock.now())
        try:
            work(owner, self._ports.for_one_invocation())
        except (KilledError, TidegateError):
            return False
        except Exception as error:
            self._unforeseen(error)
            return False
        finally:
            self._boundary.worker = interrupted
        return True

    def _react(self, event: Command | News | None, owner: str, ports: Ports) -> None:
        if isinstance(event, Command):
            take_command(ports, self._name, event)
        elif event is not None and self._clock.now() - event.at < NEWS_SECONDS:
            ports.alarms.hear(event.alarm, "21.0 > 5.0")
        try:
            self._run(owner, ports, None)
        except LeaseHeldError:
            poke(ports, self._name, WHILE_HELD)

    def _on_timer(self, due: float | None, owner: str, ports: Ports) -> None:
        try:
            self._run(owner, ports, due)
        except LeaseHeldError:
            ports.timers.wake(self._name, WHILE_HELD, due)

    def _run(self, owner: str, ports: Ports, due: float | None) -> None:
        try:
            Engine(ports, owner).run(self._name, due)
        except PermanentError:
            # Reported to people; the engine looks again by itself.
            return

    def _admit(self, arn: str, said: Said, _owner: str, ports: Ports) -> None:
        Approvals(ports).consider(self._name, arn, said)

    def _sweep(self, owner: str, ports: Ports) -> None:
        Sweeper(ports, Engine(ports, owner)).sweep()
