"""The decision of a cycle: a pure function of the durable state, what was seen, and the time."""

from lambdas.rollout.abort import heed_outcome, make_abort_durable, mind_blindness
from lambdas.rollout.artefacts import told_apart
from lambdas.rollout.commands import obey_commands
from lambdas.rollout.decision import Decision, Turn
from lambdas.rollout.finish import finalize
from lambdas.rollout.forward import approve, bake, shift, test
from lambdas.rollout.gates import count_waiting, heed_no_go
from lambdas.rollout.guards import hold_back, leave_lost_endpoint, stand_aside, wait_while_busy
from lambdas.rollout.idle import adopt_live, call_it_a_day, keep_capacity, keep_scaling, tidy_up
from lambdas.rollout.judging import heed_verdict, look_often, remember
from lambdas.rollout.observation import Observation
from lambdas.rollout.prepare import prepare, shadow
from lambdas.rollout.replacing import replace
from lambdas.rollout.retreat import restore, rollback
from lambdas.rollout.start import start_next
from lambdas.rollout.state import Phase, State

_PHASES = {
    Phase.SHADOW: shadow,
    Phase.PREPARE: prepare,
    Phase.TEST: test,
    Phase.SHIFT: shift,
    Phase.BAKE: bake,
    Phase.APPROVE: approve,
    Phase.SOAK: bake,
    Phase.FINALIZE: finalize,
    Phase.ROLLBACK: rollback,
    Phase.RESTORE: restore,
}


def reconcile(state: State, observation: Observation, now: float) -> Decision:
    """Decide what to make durable, what to ask of AWS, and when to look again.

    Parameters
    ----------
    state
        The endpoint's durable state.
    observation
        What one look at AWS showed, and what became of the previous cycle's action.
    now
        Epoch seconds.
    """
    turn = remember(Turn(told_apart(state, observation.outcome), observation, now))
    if state.retired:
        return turn.rest()
    if obeyed := obey_commands(turn):
        return replace(obeyed, heeded=False)
    return _reconcile_idle(turn) if state.rollout is None else look_often(turn, _reconcile_rollout(turn))


def _reconcile_rollout(turn: Turn) -> Decision:
    return (
        leave_lost_endpoint(turn)
        or mind_blindness(turn)
        or count_waiting(turn)
        or make_abort_durable(turn)
        or heed_verdict(turn)
        or heed_no_go(turn)
        or heed_outcome(turn)
        or wait_while_busy(turn)
        or stand_aside(turn)
        or hold_back(turn)
        or _PHASES[turn.rollout.phase](turn)
    )


def _reconcile_idle(turn: Turn) -> Decision:
    return (
        wait_while_busy(turn)
        or call_it_a_day(turn)
        or adopt_live(turn)
        or start_next(turn)
        or keep_capacity(turn)
        or tidy_up(turn)
        or keep_scaling(turn)
        or turn.rest()
    )
