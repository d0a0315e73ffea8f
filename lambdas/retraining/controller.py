"""The shell around `decide`: read, decide, record, do, and tell people."""

from lambdas.retraining.decide import decide
from lambdas.retraining.decision import EVENT, FAULT, Decision
from lambdas.retraining.doing import do
from lambdas.retraining.ports import Ports
from lambdas.retraining.said import Given, Look, Said
from lambdas.retraining.settings import Settings
from lambdas.retraining.state import Message, State
from lambdas.rollout.errors import ConflictError, MissingError
from lambdas.rollout.outbox import Outbox

TRIES = 5
MOST_ACTIONS = 6


class Controller:
    """Takes in what is said about endpoints, and follows their runs.

    Whatever happens at any call, what was decided is durable before it is done, and doing it again comes to the same:
    so whoever is killed is followed by whoever looks next, an event's second delivery or the sweep.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def tell(self, name: str, said: Said) -> None:
        """Take in one thing about an endpoint; one that is not retrained is left alone.

        Raises
        ------
        TidegateError
            When it could not be taken in, or what follows from it could not be done; it must come again.
        """
        settings = self._ports.settings.load(name)
        if settings is None:
            self._ports.log.info(f"{name} is not retrained: nothing is done")
            return
        self._tell(settings, said)

    def sweep(self) -> list[tuple[str, str]]:
        """Look at every endpoint; return which could not be looked at, and why."""
        failed = []
        for settings in self._ports.settings.all():
            try:
                self._tell(settings, Look())
            except MissingError as error:
                self._ports.log.info(f"{settings.endpoint} waits: {error}")
            except Exception as error:
                self._ports.log.exception(f"{settings.endpoint} could not be looked at")
                failed.append((settings.endpoint, f"{type(error).__name__}: {error}"))
        return failed

    def of_pipeline(self, pipeline: str) -> list[str]:
        """Return the endpoints of a pipeline; its name may come in lower case, as ARNs have it."""
        known = self._ports.settings.all()
        return [each.endpoint for each in known if each.pipeline.lower() == pipeline.lower()]

    def _tell(self, settings: Settings, said: Said) -> None:
        name, ports = settings.endpoint, self._ports
        ports.log.bind(endpoint=name)
        try:
            for _ in range(MOST_ACTIONS):
                decision = self._decide(settings, said)
                follow_up = do(ports, settings, decision.action) if decision.action is not None else None
                if follow_up is None:
                    break
                said = follow_up
        finally:
            # Also when what was decided could not be done: people may have to know.
            self._outbox(name).deliver()

    def _decide(self, settings: Settings, said: Said) -> Decision:
        name, ports = settings.endpoint, self._ports
        for _ in range(TRIES):
            state = ports.store.load(name)
            now = ports.clock.now()
            decision = decide(state, Given(said, ports.rollouts.live(name, settings)), now, settings)
            if decision.state == state and not decision.entries:
                return decision
            try:
                ports.store.save(decision.state, decision.entries, decision.summary, now=now)
            except ConflictError:
                continue
            for entry in decision.entries:
                ports.log.info(entry.text)
            return decision
        raise ConflictError(f"the retraining item of {name} changed {TRIES} times while it was being decided on")

    def _outbox(self, name: str) -> Outbox[State]:
        ports = self._ports
        return Outbox(
            load=lambda: ports.store.load(name),
            save=lambda state: ports.store.save(state, now=ports.clock.now()),
            tell=lambda message: self._say(name, message),
            fault=lambda reason: ports.faults.report(name, reason),
            log=ports.log,
        )

    def _say(self, name: str, message: Message) -> None:
        if message.kind == FAULT:
            self._ports.faults.report(name, message.text)
        elif message.kind == EVENT:
            self._ports.announcer.put(message.text)
        else:
            self._ports.notifier.tell(message.subject, message.text)
