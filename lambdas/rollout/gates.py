"""What may keep a rollout from going on though it is healthy: people, hooks, the hour. The way back asks none."""

from collections.abc import Callable
from datetime import datetime

from lambdas.rollout.abort import abort
from lambdas.rollout.actions import AskHook
from lambdas.rollout.decision import LONGEST_WAIT, Decision, Turn, seconds, with_notice
from lambdas.rollout.observation import Outcome, Result
from lambdas.rollout.policy import Hook, Policy
from lambdas.rollout.policy.windows import zone
from lambdas.rollout.state import FORWARD, Phase, Rollout, State

BEFORE, AFTER, APPROVAL, TEST = "before", "after", "approval", "test"
JUDGED, ASKED = "judged", "asked"
"""The judge need not be waited for any longer; or leaves it to a person, for want of evidence."""

GO, NO_GO = "go", "no-go"
_ASK_AGAIN = 5.0


def go_on(turn: Turn, move: Callable[[], Decision]) -> Decision:
    """Make a move forward, unless it is held up by people or by the hour."""
    held = _held(turn.state, turn.rollout, turn.now)
    if held is None:
        return move()
    if turn.rollout.asked_since is not None:
        # A hook that was being asked is asked anew afterwards, with all of its time.
        return turn.again(asked_since=None)
    remark, until = held
    wait = LONGEST_WAIT if until is None else min(max(until - turn.now, 1.0), LONGEST_WAIT)
    return turn.hold(remark, f"Going no further: {remark}. A rollback is not held up.", wait)


def _held(state: State, rollout: Rollout, now: float) -> tuple[str, float | None] | None:
    """Return what holds a rollout up, and until when if that is known."""
    if rollout.paused:
        return "it is paused until somebody resumes it", None
    if rollout.urgent:
        return None
    return frozen_or_closed(state, rollout.policy, now)


def frozen_or_closed(state: State, policy: Policy, now: float) -> tuple[str, float | None] | None:
    """Return what holds up all that goes forward, and until when if that is known."""
    if state.frozen is not None:
        why = f" ({state.frozen.reason})" if state.frozen.reason else ""
        return f"{state.name} is frozen by {state.frozen.by}{why}", None
    opens = policy.opens_at(now)
    if opens is None:
        return None
    local = datetime.fromtimestamp(opens, zone(policy.timezone))
    return f"its window opens on {local:%a %Y-%m-%d at %H:%M} ({policy.timezone})", opens


def count_waiting(turn: Turn) -> Decision | None:
    """Keep the time in which a rollout waits for people out of its progress deadline."""
    rollout, since = turn.rollout, turn.rollout.waiting_since
    if rollout.phase not in FORWARD:
        return None
    waits = rollout.phase is Phase.APPROVE or _held(turn.state, rollout, turn.now)
    if waits and since is None:
        return turn.aside(waiting_since=turn.now)
    if not waits and since is not None:
        # Progress may have been made since, by what ended the waiting.
        return turn.aside(waiting_since=None, progress_at=min(rollout.progress_at + turn.now - since, turn.now))
    return None


def wants_approval(rollout: Rollout) -> bool:
    """Return whether the present step passes only if a person says so: it is declared, or evidence is wanting."""
    return rollout.present.approval or (rollout.has(ASKED) and not rollout.has(JUDGED))


def await_approval(turn: Turn) -> Decision | None:
    """Wait for a person to say go on, where the step asks for that."""
    rollout = turn.rollout
    if not wants_approval(rollout) or rollout.has(APPROVAL) or rollout.urgent:
        return None
    if rollout.phase is Phase.APPROVE:
        return turn.wait(LONGEST_WAIT)
    compared = f" {turn.seen.compared}." if turn.seen.compared else ""
    text = (
        f"{rollout.version} was watched at {rollout.weight} % and waits for somebody to approve the step "
        f"(python -m tidegate approve --step), or to abort.{compared}"
    )
    decision = turn.move(Phase.APPROVE, "approval", text, {"weight": rollout.weight})
    state = with_notice(decision.state, f"{turn.state.name}: {rollout.version} waits for approval", text)
    return Decision(state, None, turn.now, decision.entries)


def ask_hook(turn: Turn, when: str) -> Decision | None:
    """Ask the step's hook; None once it has said go, or when there is none."""
    rollout = turn.rollout
    hook = rollout.present.before if when == BEFORE else rollout.present.after
    if hook is None or rollout.has(when) or rollout.urgent:
        return None
    action, outcome = AskHook(hook, _question(turn, when)), turn.seen.outcome
    if outcome is not None and outcome.action == action:
        return _heed(turn, hook, when, outcome)
    if rollout.asked_since is not None:
        return turn.act(action)
    entry = turn.entry("hook", f"Asking {hook.function} {when} {rollout.weight} %.", function=hook.function)
    return turn.act(action, (entry,), asked_since=turn.now)


def heed_no_go(turn: Turn) -> Decision | None:
    """Give the rollout up for a hook's no-go, whatever else holds it up."""
    outcome = turn.seen.outcome
    if outcome is None or not isinstance(outcome.action, AskHook) or outcome.decision != NO_GO:
        return None
    reason = f": {outcome.reason}" if outcome.reason else ""
    asked = f"{outcome.action.question['when']} {turn.rollout.weight} %"
    return abort(turn, f"the hook {outcome.action.hook.function} said no-go {asked}{reason}")


def _question(turn: Turn, when: str) -> dict[str, object]:
    rollout = turn.rollout
    return {
        "id": f"{turn.state.name}/{rollout.id}/{rollout.step}/{when}",
        "endpoint": turn.state.name,
        "rollout": rollout.id,
        "version": rollout.version,
        "step": rollout.step,
        "weight": rollout.weight,
        "when": when,
    }


def _heed(turn: Turn, hook: Hook, when: str, outcome: Outcome) -> Decision:
    reason = f": {outcome.reason}" if outcome.reason else ""
    if outcome.result is Result.DONE and outcome.decision == GO:
        entry = turn.entry("hook", f"{hook.function} said go{reason}.", decision=GO)
        return turn.again(entry, cleared=turn.rollout.passed(when), asked_since=None)
    asked = turn.now - (turn.rollout.asked_since or turn.now)
    said = "says to wait" if outcome.result is Result.DONE else "gives no answer"
    if asked >= hook.timeout_seconds:
        return abort(turn, f"the hook {hook.function} {said} {seconds(asked)} after it was first asked{reason}")
    remark = f"the hook {hook.function} {said}{reason}"
    return turn.hold(remark, f"Asking again: {remark}.", min(_ASK_AGAIN, hook.timeout_seconds - asked))
