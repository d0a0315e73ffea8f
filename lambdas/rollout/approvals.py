"""Takes approvals of model packages in: from events, and from what the registry lists."""

from collections.abc import Callable

from lambdas.rollout.admission import Admission, Said, admit, close
from lambdas.rollout.errors import ConflictError, TidegateError
from lambdas.rollout.ports import Package, Ports
from lambdas.rollout.state import Episode, State

TRIES = 5


class Approvals:
    """Opens and closes approval episodes, so that every approval makes exactly one rollout.

    An event's own word is never enough: the package is read anew, so that a late or repeated event finds nothing new.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def consider(self, name: str, arn: str, said: Said | None = None) -> None:
        """Take in what has become of a package of the endpoint's group.

        Raises
        ------
        ConflictError
            When the endpoint's item kept changing; the event must come again.
        """
        package = self._ports.registry.describe(arn)
        for _ in range(TRIES):
            state = self._ports.store.load(name)
            if state is None or state.retired:
                # The sweeper finds the approval once the endpoint's fleet has been recorded.
                self._ports.log.info(f"{name} has no rollout item yet; {arn} waits in the registry")
                return
            episode = self._ports.store.episodes(name).get(arn)
            admission = self._judge(state, episode, package, said)
            if admission is None or self._record(name, admission):
                return
        raise ConflictError(f"the item of {name} changed {TRIES} times while {arn} was being taken in")

    def sweep(self, name: str, has_time: Callable[[], bool]) -> None:
        """Take in approvals and withdrawals whose events were lost, as many as there is time for."""
        approved = self._ports.registry.approved(name)
        episodes = self._ports.store.episodes(name)
        new = [arn for arn in approved if arn not in episodes or not episodes[arn].open]
        gone = [arn for arn, episode in episodes.items() if episode.open and arn not in approved]
        for arn in (*new, *gone):
            if has_time():
                self.consider(name, arn)

    def _judge(
        self, state: State, episode: Episode | None, package: Package | None, said: Said | None
    ) -> Admission | None:
        now = self._ports.clock.now()
        if package is None:
            return close(state, episode, "it was deleted", now, now) if episode and episode.open else None
        return admit(state, episode, package, self._ports.settings.load(state.name), said, now)

    def _record(self, name: str, admission: Admission) -> bool:
        ports, now = self._ports, self._ports.clock.now()
        try:
            ports.store.save(admission.state, admission.entries, now=now, episode=admission.episode)
        except ConflictError:
            return False
        for entry in admission.entries:
            ports.log.info(entry.text)
        poke(ports, name)
        return True


def poke(ports: Ports, name: str, delay: float = 0.0) -> None:
    """Have the endpoint looked at; should that fail, the sweeper does."""
    try:
        ports.timers.wake(name, delay)
    except TidegateError as error:
        ports.log.warning(f"no timer could be armed, so that the sweeper will look: {error}")
