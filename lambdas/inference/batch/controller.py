"""The shell around `decide`: read, decide, record, do, and tell."""

from dataclasses import replace

from lambdas.inference.batch.decide import decide
from lambdas.inference.batch.decision import FAULT, Decision
from lambdas.inference.batch.doing import do
from lambdas.inference.batch.ports import Ports
from lambdas.inference.batch.said import Said
from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import Message, State
from lambdas.rollout.errors import ConflictError, PermanentError, TidegateError

TRIES = 5
MOST_ACTIONS = 8


class Controller:
    """Takes in what is said about an endpoint's batches, and follows its run.

    Whatever happens at any call, what was decided is durable before it is done, and doing it again comes to the same:
    so whoever is killed is followed by whoever looks next, an event's second delivery or the sweep.
    """

    def __init__(self, ports: Ports, plan: Plan) -> None:
        self._ports = ports
        self._plan = plan

    def tell(self, said: Said) -> None:
        """Take in one thing.

        Raises
        ------
        TidegateError
            When it could not be taken in; it must come again.
        """
        try:
            following: Said | None = said
            for _ in range(MOST_ACTIONS):
                if following is None:
                    break
                decision = self._decide(following)
                following = do(self._ports, self._plan, decision.action) if decision.action is not None else None
        finally:
            # Also when what was decided could not be done: people may have to know.
            self._deliver()

    def _decide(self, said: Said) -> Decision:
        ports, name = self._ports, self._plan.endpoint
        for _ in range(TRIES):
            state = ports.store.load(name)
            decision = decide(state, said, ports.clock.now(), self._plan)
            if decision.state == state:
                return decision
            try:
                ports.store.save(decision.state, decision.summaries, self._plan)
            except ConflictError:
                continue
            return decision
        raise ConflictError(f"the batch item of {name} changed {TRIES} times while it was being decided on")

    def _deliver(self) -> None:
        """Tell what is to be told; what could not be is told at the next look."""
        try:
            state = self._ports.store.load(self._plan.endpoint)
            told = [message for message in state.outbox if self._delivered(message)]
            if told:
                self._forget(state, told)
        except TidegateError as error:
            self._ports.log.warning(f"what there is to tell waits: {error}")

    def _delivered(self, message: Message) -> bool:
        ports, name = self._ports, self._plan.endpoint
        try:
            if message.kind == FAULT:
                ports.faults.report(name, message.text)
            else:
                ports.announcer.put(message.text)
        except PermanentError as error:
            ports.faults.report(name, f"an event could not be sent: {error}")
            return False
        except TidegateError as error:
            ports.log.warning(f"an event waits to be sent: {error}")
            return False
        return True

    def _forget(self, state: State, told: list[Message]) -> None:
        for _ in range(TRIES):
            left = tuple(message for message in state.outbox if message not in told)
            try:
                self._ports.store.save(replace(state, outbox=left), (), self._plan)
            except ConflictError:
                state = self._ports.store.load(self._plan.endpoint)
                continue
            return
