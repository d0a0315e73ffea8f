"""The shell around `reconcile`: observe, decide, record, act, and observe again."""

from lambdas.rollout.decision import LONGEST_WAIT, Decision
from lambdas.rollout.errors import ConflictError, LeaseHeldError, PermanentError, RetryableError, TidegateError
from lambdas.rollout.observation import EndpointView, Outcome, Result
from lambdas.rollout.observe import observe
from lambdas.rollout.perform import perform
from lambdas.rollout.ports import Ports
from lambdas.rollout.reconcile import reconcile
from lambdas.rollout.replacing import replace
from lambdas.rollout.state import Notice, State

LEASE_SECONDS = 30.0
"""Longer than the functions' time-out, so that a lease never runs out under a worker that is still running."""

BUDGET_SECONDS = 10.0
"""No cycle begins after this long: the calls of the last one, timing out one by one, must still fit."""

SMOKE_MARGIN = 4.0
MAX_CYCLES = 12
AFTER_FAULT = 5.0
RELEASE_TRIES = 5
"""What comes in as a lease is given back would else wait for the whole of it."""


class Engine:
    """Takes endpoints forward, one at a time.

    Parameters
    ----------
    ports
        The world.
    owner
        Who holds the lease; different for every invocation.
    """

    def __init__(self, ports: Ports, owner: str) -> None:
        self._ports = ports
        self._owner = owner
        self._started = ports.clock.elapsed()

    def has_time(self, margin: float = 0.0) -> bool:
        """Return whether another cycle may begin in this invocation."""
        return self._ports.clock.elapsed() - self._started < BUDGET_SECONDS - margin

    def run(self, name: str, due: float | None = None) -> None:
        """Take an endpoint as far as it goes now, and have it looked at again when it goes on.

        Parameters
        ----------
        name
            The endpoint.
        due
            Identifies the timer that this call answers.

        Raises
        ------
        LeaseHeldError
            When somebody else is at work on the endpoint.
        PermanentError
            When AWS refused something that a person must put right. The rollout has dealt with it as it can.
        """
        self._ports.log.bind(endpoint=name, rollout=None, phase=None)
        state = self._ports.store.load(name)
        if state is None or state.retired:
            return
        state = self._lease(state, due)
        try:
            state, wake_at, faults = self._cycle_on(state)
        except ConflictError:
            self._ports.log.warning("somebody else took the endpoint over; leaving it to them")
            return
        self._release(state, wake_at)
        if faults:
            raise PermanentError("; ".join(faults))

    def _lease(self, state: State, due: float | None) -> State:
        now = self._ports.clock.now()
        if state.leased_to_other(self._owner, now):
            raise LeaseHeldError(f"{state.name} is being worked on by {state.lease_owner}")
        armed = None if due is not None and due == state.armed else state.armed
        leased = replace(state, lease_owner=self._owner, lease_until=now + LEASE_SECONDS, armed=armed)
        try:
            return self._ports.store.save(leased, now=now)
        except ConflictError as error:
            raise LeaseHeldError(f"{state.name} was taken by somebody else at the same moment") from error

    def _cycle_on(self, state: State) -> tuple[State, float | None, list[str]]:
        outcome: Outcome | None = None
        endpoint: EndpointView | None = None
        wake_at: float | None = self._ports.clock.now()
        faults: list[str] = []
        for _ in range(MAX_CYCLES):
            if not self.has_time():
                break
            try:
                state, decision, outcome, endpoint = self._cycle(state, outcome, endpoint)
            except ConflictError:
                # An approval, a command or a fleet came in meanwhile: decide again with it.
                state, endpoint = self._reload(state), None
                continue
            except TidegateError as error:
                return state, self._after_fault(error, faults), faults
            faults += _fault_of(outcome)
            wake_at = decision.wake_at
            if wake_at is None or wake_at > self._ports.clock.now():
                break
        return state, wake_at, faults

    def _cycle(
        self, state: State, outcome: Outcome | None, endpoint: EndpointView | None
    ) -> tuple[State, Decision, Outcome | None, EndpointView | None]:
        """Return what came of it, and the look at the endpoint while nothing has been asked of it since."""
        ports = self._ports
        ports.log.bind(rollout=state.rollout and state.rollout.id, phase=state.rollout and state.rollout.phase.value)
        observation = observe(state, ports, outcome, endpoint)
        for problem in observation.problems:
            ports.log.warning(problem)
        decision = reconcile(state, observation, ports.clock.now())
        before, state = state, self._record(state, decision)
        if decision.action is None:
            return state, decision, _unheeded(before, decision, outcome), observation.endpoint
        done = perform(state.name, decision.action, ports, lambda: self.has_time(SMOKE_MARGIN))
        return state, decision, done, None

    def _record(self, state: State, decision: Decision) -> State:
        if decision.state == state and not decision.entries:
            return state
        saved = self._ports.store.save(
            decision.state,
            decision.entries,
            now=self._ports.clock.now(),
            rollout=decision.ended or decision.state.rollout,
        )
        for entry in decision.entries:
            self._ports.log.bind(rollout=entry.rollout, phase=entry.phase)
            self._ports.log.info(entry.text)
        return saved

    def _reload(self, state: State) -> State:
        fresh = self._ports.store.load(state.name)
        if fresh is None or fresh.retired or fresh.lease_owner != self._owner:
            raise ConflictError(f"the lease on {state.name} was lost")
        return fresh

    def _after_fault(self, error: TidegateError, faults: list[str]) -> float:
        self._ports.log.warning(str(error))
        retryable = isinstance(error, RetryableError)
        faults += [] if retryable else [str(error)]
        return self._ports.clock.now() + (AFTER_FAULT if retryable else LONGEST_WAIT)

    def _release(self, state: State, wake_at: float | None) -> None:
        told = self._tell(state)
        left = _untold(state, told)
        now = self._ports.clock.now()
        wake = None if wake_at is None else min(wake_at, now + LONGEST_WAIT)
        outstanding = state.armed if state.armed is not None and now < state.armed else None
        # One timer at a time, or every event would leave another chain of timers behind.
        arm = wake is not None and (outstanding is None or outstanding > wake)
        free = replace(
            state,
            lease_owner=None,
            lease_until=0.0,
            wake=wake,
            armed=wake if arm else outstanding,
            outbox=left,
        )
        try:
            self._ports.store.save(free, now=now)
        except (ConflictError, RetryableError):
            self._release_again(state.name, told)
            return
        if arm and wake is not None:
            self._arm(state.name, wake, now)

    def _release_again(self, name: str, told: list[Notice]) -> None:
        # Something came in since the last cycle, or no answer did: the endpoint must be looked at, so it stays due.
        now = self._ports.clock.now()
        if not any(self._is_released(name, told, now) for _ in range(RELEASE_TRIES)):
            self._ports.log.warning("the lease could not be released and will run out")
        self._arm(name, now, now)

    def _is_released(self, name: str, told: list[Notice], now: float) -> bool:
        try:
            fresh = self._ports.store.load(name)
            if fresh is None or fresh.lease_owner != self._owner:
                return True
            left = _untold(fresh, told)
            free = replace(fresh, lease_owner=None, lease_until=0.0, wake=now, armed=None, outbox=left)
            self._ports.store.save(free, now=now)
        except (ConflictError, RetryableError):
            return False
        return True

    def _tell(self, state: State) -> list[Notice]:
        """Send the notices that wait and return those that were sent."""
        told = []
        for notice in state.outbox:
            try:
                self._ports.notifier.tell(notice.subject, notice.text)
            except TidegateError as error:
                self._ports.log.warning(f"a notification waits to be sent: {error}")
                if isinstance(error, RetryableError):
                    break
            else:
                told.append(notice)
        return told

    def _arm(self, name: str, wake: float, now: float) -> None:
        try:
            self._ports.timers.wake(name, wake - now, due=wake)
        except TidegateError as error:
            self._ports.log.warning(f"no timer could be armed, so that the sweeper will look: {error}")


def _unheeded(before: State, decision: Decision, outcome: Outcome | None) -> Outcome | None:
    """Return an outcome that must still be dealt with: the rollout stands where the action was asked for."""
    old, new = before.rollout, decision.state.rollout
    stands = old is not None and new is not None and (old.id, old.phase, old.step) == (new.id, new.phase, new.step)
    return outcome if stands and not decision.heeded else None


def _untold(state: State, told: list[Notice]) -> tuple[Notice, ...]:
    return tuple(notice for notice in state.outbox if notice not in told)


def _fault_of(outcome: Outcome | None) -> list[str]:
    failed = outcome is not None and outcome.result is Result.FAILED and not outcome.final
    return [outcome.reason] if failed and outcome is not None else []
