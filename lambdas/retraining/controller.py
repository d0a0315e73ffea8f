"""The shell around `decide`: read, decide, record, do, and tell people."""

from dataclasses import replace

from lambdas.retraining.decide import decide
from lambdas.retraining.decision import EVENT, FAULT, Decision
from lambdas.retraining.doing import do
from lambdas.retraining.ports import Ports
from lambdas.retraining.said import Given, Look, Said
from lambdas.retraining.settings import Settings
from lambdas.retraining.state import Message, State
from lambdas.rollout.errors import ConflictError, MissingError, PermanentError, TidegateError

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
            self._deliver(name)

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

    def _deliver(self, name: str) -> None:
        """Tell what is to be told; what could not be is told at the next look."""
        try:
            state = self._ports.store.load(name)
            told = [message for message in state.outbox if self._delivered(name, message)]
            if told:
                self._forget(name, state, told)
        except TidegateError as error:
            self._ports.log.warning(f"what there is to tell waits: {error}")

    def _delivered(self, name: str, message: Message) -> bool:
        ports = self._ports
        try:
            if message.kind == FAULT:
                ports.faults.report(name, message.text)
            elif message.kind == EVENT:
                ports.announcer.put(message.text)
            else:
                ports.notifier.tell(message.subject, message.text)
        except PermanentError as error:
            ports.faults.report(name, f"a message could not be sent: {error}")
            return False
        except TidegateError as error:
            ports.log.warning(f"a message waits to be sent: {error}")
            return False
        return True

    def _forget(self, name: str, state: State, told: list[Message]) -> None:
        for _ in range(TRIES):
            left = tuple(message for message in state.outbox if message not in told)
            try:
                self._ports.store.save(replace(state, outbox=left), now=self._ports.clock.now())
            except ConflictError:
                state = self._ports.store.load(name)
                continue
            return
