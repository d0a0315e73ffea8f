"""The shell around `decide`: read, decide, record, do, and tell."""

from lambdas.inference.batch.decide import decide
from lambdas.inference.batch.decision import FAULT, MODEL, Decision
from lambdas.inference.batch.doing import do
from lambdas.inference.batch.ports import Ports
from lambdas.inference.batch.said import Said
from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import Message, State
from lambdas.rollout.errors import ConflictError
from lambdas.rollout.outbox import Outbox

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
            self._outbox().deliver()

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

    def _outbox(self) -> Outbox[State]:
        ports, name = self._ports, self._plan.endpoint
        return Outbox(
            load=lambda: ports.store.load(name),
            save=lambda state: ports.store.save(state, (), self._plan),
            tell=self._say,
            fault=lambda reason: ports.faults.report(name, reason),
            log=ports.log,
        )

    def _say(self, message: Message) -> None:
        if message.kind == FAULT:
            self._ports.faults.report(self._plan.endpoint, message.text)
        elif message.kind == MODEL:
            self._ports.models.remove(message.text)
        else:
            self._ports.announcer.put(message.text)
