"""What the commands do, each in one write with its audit entry. Pure."""

from dataclasses import replace
from typing import Any

from lambdas.rollout.abort import abort
from lambdas.rollout.decision import ANEW, Decision, Entry, Turn
from lambdas.rollout.gates import APPROVAL
from lambdas.rollout.refusals import WATCHED
from lambdas.rollout.state import FORWARD, Candidate, Command, Freeze, Phase, Rollout, State
from lambdas.rollout.versions import is_unknown, same


def command_entry(rollout: Rollout | None, command: Command, text: str, *, accepted: bool = True) -> Entry:
    """Return the one audit entry that a command leaves."""
    numbers = {"command": command.id, "name": command.kind, "by": command.by, "accepted": accepted}
    if rollout is None:
        return Entry("command", text, numbers)
    return Entry("command", text, numbers, rollout.id, rollout.phase, rollout.step)


def nothing_done(turn: Turn, command: Command, refusal: str = "") -> Decision:
    """Refuse a command."""
    text = f"{command.by} asked to {_named(command)}, but {refusal}. Nothing is done."
    return _done(turn, command_entry(turn.state.rollout, command, text, accepted=False))


def _named(command: Command) -> str:
    to = f" to {command.to}" if command.to else ""
    return f"{command.kind}{' full' if command.full else ''}{to}"


def _why(command: Command) -> str:
    return f": {command.reason}" if command.reason else ""


def _done(turn: Turn, entry: Entry) -> Decision:
    return Decision(turn.state, wake_at=turn.now, entries=(entry,))


def _on_state(turn: Turn, command: Command, text: str, **changes: Any) -> Decision:
    changed = replace(turn, state=replace(turn.state, **changes))
    return _done(changed, command_entry(turn.state.rollout, command, text))


def abort_rollout(turn: Turn, command: Command) -> Decision:
    """Take the active rollout back."""
    return _abort(turn, command, f"{command.by} asked for it{_why(command)}", "")


def _abort(turn: Turn, command: Command, reason: str, what_next: str) -> Decision:
    text = f"{command.by} asked to {_named(command)}{_why(command)}. {turn.rollout.version} is taken back.{what_next}"
    decision = abort(turn, reason)
    return replace(decision, entries=(command_entry(turn.state.rollout, command, text), *decision.entries))


def pause(turn: Turn, command: Command) -> Decision:
    """Hold the rollout where it is."""
    if turn.rollout.paused:
        return _steered(turn, command, f"{command.by} asked to pause the rollout, which is paused: nothing changes.")
    text = (
        f"{command.by} paused the rollout{_why(command)}. It goes no further until resumed; a rollback is not held up."
    )
    return _steered(turn, command, text, paused=True)


def resume(turn: Turn, command: Command) -> Decision:
    """Let the rollout go on."""
    if not turn.rollout.paused:
        text = f"{command.by} asked to resume the rollout, which is not paused: nothing changes."
        return _steered(turn, command, text)
    return _steered(turn, command, f"{command.by} resumed the rollout{_why(command)}.", paused=False)


def _steered(turn: Turn, command: Command, text: str, **changes: Any) -> Decision:
    return turn.again(command_entry(turn.state.rollout, command, text), steered_at=command.at, **changes)


def promote(turn: Turn, command: Command) -> Decision:
    """End the present watch, and vouch for the step."""
    rollout = turn.rollout
    cleared = rollout.passed(APPROVAL) if rollout.phase in WATCHED else rollout.cleared
    text = (
        f"{command.by} asked to go on{_why(command)}: what is being watched in {rollout.phase} need not be watched any "
        f"longer, but must be healthy.{_held(turn)}"
    )
    return turn.again(command_entry(turn.state.rollout, command, text), bake_skipped=True, cleared=cleared)


def _held(turn: Turn) -> str:
    if turn.rollout.paused:
        return " It is paused and goes on once it is resumed."
    frozen = turn.state.frozen if not turn.rollout.urgent else None
    return f" {turn.state.name} is frozen by {frozen.by}: it goes on once that is over." if frozen else ""


def promote_full(turn: Turn, command: Command) -> Decision:
    """Skip the steps that are left; the soak with all the traffic stays."""
    rollout, step = turn.rollout, turn.rollout.step
    begun = rollout.phase in (Phase.SHIFT, *WATCHED)
    if begun and rollout.policy.is_last(step):
        return _promote_last(turn, command)
    text = (
        f"{command.by} asked to promote {rollout.version} in full{_why(command)}: the steps that are left are skipped. "
        f"It takes all the traffic next, and must soak there.{_held(turn)}"
    )
    changes: dict[str, Any] = {
        "policy": rollout.policy.straight_to_full(step if begun else None),
        "straight": f"{command.by} asked to promote it in full",
        "bake_skipped": begun or rollout.phase is Phase.SHADOW,
        "cleared": rollout.passed(APPROVAL) if begun else rollout.cleared,
    }
    return turn.again(command_entry(turn.state.rollout, command, text), **changes)


def _promote_last(turn: Turn, command: Command) -> Decision:
    if turn.rollout.phase is Phase.APPROVE:
        return promote(turn, command)
    text = (
        f"{command.by} asked to promote {turn.rollout.version} in full, which is at its last step: nothing changes. It "
        "must soak with all the traffic; promote without full ends that."
    )
    return _on_state(turn, command, text)


def approve(turn: Turn, command: Command) -> Decision:
    """Approve the present step."""
    rollout = turn.rollout
    text = (
        f"{command.by} approved the step at {rollout.weight} %{_why(command)}: it goes on once it has been watched and "
        f"is healthy.{_held(turn)}"
    )
    return turn.again(command_entry(turn.state.rollout, command, text), cleared=rollout.passed(APPROVAL))


def retry(turn: Turn, command: Command) -> Decision:
    """Try again what has failed: a change of the fleet, or else a version."""
    state = turn.state
    if state.has_failed_fleet:
        text = f"{command.by} asked to roll {state.live.version} out onto the declared fleet again."
        return _on_state(turn, command, text, failed_fleet=None)
    return _queue_failed(turn, command, "")


def promote_failed(turn: Turn, command: Command) -> Decision:
    """Roll the version out again that failed, without its steps."""
    return _queue_failed(turn, command, f"{command.by} asked to promote it in full")


def _queue_failed(turn: Turn, command: Command, straight: str) -> Decision:
    failed = turn.state.failed
    if failed is None:
        raise LookupError(f"nothing has failed on {turn.state.name}")
    how = "straight to all the traffic" if straight else "from its first step"
    text = f"{command.by} asked to {_named(command)}{_why(command)}. {failed.version} is rolled out again, {how}."
    return _on_state(turn, command, text, queued=replace(failed, straight=straight), failed=None)


def rollback(turn: Turn, command: Command) -> Decision:
    """Go back to a version: by aborting what would replace it, or by rolling it out next, before all that waits."""
    candidate, rollout, queued = command.candidate, turn.state.rollout, turn.state.queued
    if candidate is None:
        raise LookupError(f"the command {command.id} names no version")
    forward = rollout is not None and rollout.phase in FORWARD
    reason = f"{command.by} asked to roll back to {candidate.version}{_why(command)}"
    if forward and same(candidate, turn.state.live):
        next_one = f" {queued.version} waits and starts next; freeze or reject it to prevent that." if queued else ""
        return _abort(turn, command, reason, f" {_told(candidate)} stays live.{next_one}")
    what_next = _what_next(turn, candidate)
    turn = replace(turn, state=_in_place_of_what_waits(turn.state, candidate))
    if forward:
        return _abort(turn, command, reason, what_next)
    return _on_state(turn, command, f"{command.by} asked to {_named(command)}{_why(command)}.{what_next}")


def _what_next(turn: Turn, candidate: Candidate) -> str:
    rollout, queued = turn.state.rollout, turn.state.queued
    when = f"next, once the rollout of {rollout.version} is over" if rollout else "now"
    how = "straight to all the traffic" if candidate.straight else "step by step, for it is not known to have been live"
    text = f" {_told(candidate)} is rolled out {when}, {how}; neither a freeze nor a window holds it up."
    return text + (f" It takes the place of {queued.version}; to have that afterwards, {ANEW}." if queued else "")


def _told(candidate: Candidate) -> str:
    if candidate.source is None or not is_unknown(candidate):
        return candidate.version
    return f"{candidate.version} (what was live with the config {candidate.source.config})"


def _in_place_of_what_waits(state: State, candidate: Candidate) -> State:
    # What waited counts as started, or the sweep would find that its approval still stands.
    newest = max(state.newest_started, state.queued.approved_at if state.queued else 0.0)
    return replace(state, queued=candidate, newest_started=newest)


def freeze(turn: Turn, command: Command) -> Decision:
    """Stop all that goes forward on the endpoint."""
    state, frozen = turn.state, turn.state.frozen
    if frozen is not None:
        text = f"{command.by} asked to freeze {state.name}, which {frozen.by} froze{_because(frozen)}: nothing changes."
        return _on_state(turn, command, text, steered_at=command.at)
    text = (
        f"{command.by} froze {state.name}{_why(command)}. No rollout starts or goes forward until it is unfrozen; "
        f"alarms, abort and rollback still take effect.{_unstoppable(turn)}"
    )
    frozen = Freeze(command.by, command.at, command.reason)
    return _on_state(turn, command, text, frozen=frozen, steered_at=command.at)


def _because(frozen: Freeze) -> str:
    return f" ({frozen.reason})" if frozen.reason else ""


def _unstoppable(turn: Turn) -> str:
    finishing = turn.state.rollout is not None and turn.rollout.phase is Phase.FINALIZE
    return f" {turn.rollout.version} is in {Phase.FINALIZE}, which cannot be interrupted." if finishing else ""


def unfreeze(turn: Turn, command: Command) -> Decision:
    """Let rollouts start and go forward again."""
    state, frozen = turn.state, turn.state.frozen
    if frozen is None:
        text = f"{command.by} asked to unfreeze {state.name}, which is not frozen: nothing changes."
        return _on_state(turn, command, text, steered_at=command.at)
    text = f"{command.by} unfroze {state.name}, which {frozen.by} had frozen{_because(frozen)}{_why(command)}."
    return _on_state(turn, command, text, frozen=None, steered_at=command.at)
