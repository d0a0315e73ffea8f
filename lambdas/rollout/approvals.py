"""Takes approvals of model packages in: from events, and from what the registry lists."""

from collections.abc import Callable

from lambdas.rollout.admission import Admission, Said, admit, close, waits
from lambdas.rollout.episode import Episode
from lambdas.rollout.errors import ConflictError, PermanentError, TidegateError, in_words
from lambdas.rollout.ports import Package, Ports
from lambdas.rollout.state import State
from lambdas.rollout.trust import why_distrusted

TRIES = 5
SORTED = 20


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
        """Take in approvals and withdrawals whose events were lost, as many as there is time for.

        Raises
        ------
        PermanentError
            When some could not be taken in; all others were.
        """
        approved = self._ports.registry.approved(name)
        episodes = self._ports.store.episodes(name)
        new = [arn for arn in approved if arn not in episodes or not episodes[arn].open]
        gone = [arn for arn, episode in episodes.items() if episode.open and arn not in approved]
        looks = (*gone, *self._latest_first(new))
        failures = [self._try(name, arn) for arn in looks if has_time()]
        failures += [self._try(name, arn) for arn in self._displaced(name, approved) if has_time()]
        if any(failures):
            raise PermanentError("; ".join(filter(None, failures)))

    def _latest_first(self, arns: list[str]) -> list[str]:
        # The first that is taken in may start at once; those approved before it are then superseded. Of many at once
        # the registry's order, by creation, must do, for each look takes time.
        packages = [self._ports.registry.describe(arn) for arn in arns[:SORTED]] if len(arns) > 1 else []
        times = {package.arn: package.modified_at for package in packages if package is not None}
        return sorted(arns, key=lambda arn: times.get(arn, 0.0), reverse=True)

    def _displaced(self, name: str, approved: list[str]) -> list[str]:
        state = self._ports.store.load(name)
        if state is None or state.retired or state.queued is not None:
            return []
        episodes = self._ports.store.episodes(name)
        waiting = [each for each in episodes.values() if each.package_arn in approved and waits(state, each)]
        return [each.package_arn for each in sorted(waiting, key=lambda each: each.approved_at)[-1:]]

    def _try(self, name: str, arn: str) -> str:
        try:
            self.consider(name, arn)
        except Exception as error:
            self._ports.log.exception(f"{arn} could not be taken in")
            return f"{arn}: {in_words(error)}"
        return ""

    def _judge(
        self, state: State, episode: Episode | None, package: Package | None, said: Said | None
    ) -> Admission | None:
        now = self._ports.clock.now()
        if package is None:
            return close(state, episode, "it was deleted", now, now) if episode and episode.open else None
        settings = self._ports.settings.load(state.name)
        admission = admit(state, episode, package, settings, said, now)
        # Asked of AWS only now, for most looks find nothing new; when it cannot be asked, the approval comes again.
        distrust = why_distrusted(package, settings, self._ports.trust) if _queues(admission, state) else ""
        return admit(state, episode, package, settings, said, now, distrust) if distrust else admission

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


def _queues(admission: Admission | None, before: State) -> bool:
    """Return whether an admission puts a version in the queue, so that its artefact must be trusted."""
    return admission is not None and admission.state.queued is not None and admission.state.queued != before.queued


def poke(ports: Ports, name: str, delay: float = 0.0) -> None:
    """Have the endpoint looked at; should that fail, the sweeper does."""
    try:
        ports.timers.wake(name, delay)
    except TidegateError as error:
        ports.log.warning(f"no timer could be armed, so that the sweeper will look: {error}")
