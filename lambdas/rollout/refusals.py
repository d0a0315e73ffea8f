"""Why a command is refused: in which phase the rollout is, what stands against it, and what to do instead. Pure."""

import math
from collections.abc import Callable, Mapping

from lambdas.rollout.decision import Turn
from lambdas.rollout.gates import APPROVAL, wants_approval
from lambdas.rollout.state import FORWARD, Command, Kind, Phase
from lambdas.rollout.versions import is_unknown, same

Check = Callable[[Turn, Command], str | None]
WATCHED = (Phase.BAKE, Phase.APPROVE, Phase.SOAK)
"""Phases in which the present step's weight is in effect."""

_INSTEAD: Mapping[str, str] = {
    "abort": "to go back to a version that was live before, send rollback",
    "pause": "to keep the next one from starting, send freeze",
    "resume": "to let rollouts start again, send unfreeze",
    "approve": "to have a version rolled out, approve its package in the registry",
}
_ROLL_OUT = "to have a version rolled out, approve its package in the registry"


def not_under_way(turn: Turn, command: Command) -> str | None:
    """Refuse what is about a rollout when that one is not active."""
    rollout, state = turn.state.rollout, turn.state
    if rollout is not None:
        return meant_for_another(turn, command)
    meant = f"the rollout {command.rollout}" if command.rollout else "a rollout"
    failed = f"to have {state.failed.version} again, send retry" if state.failed else _ROLL_OUT
    instead = failed if command.kind == "promote" else _INSTEAD.get(command.kind, _ROLL_OUT)
    return f"{meant} is not under way on {state.name}, where {state.live.version} is live; {instead}"


def meant_for_another(turn: Turn, command: Command) -> str | None:
    """Refuse what names another rollout than the active one."""
    rollout = turn.state.rollout
    if command.rollout is None or (rollout is not None and command.rollout == rollout.id):
        return None
    other = f"{rollout.id} of {rollout.version} is, in {rollout.phase}" if rollout else "none is"
    return f"the rollout {command.rollout} is not under way; {other}: name the one that is meant, or none"


def meant_for_an_earlier_one(turn: Turn, command: Command) -> str | None:
    """Refuse what was sent before the active rollout started, unless it names it."""
    # Events carry whole seconds.
    if command.rollout is not None or command.at >= math.floor(turn.rollout.started_at):
        return None
    rollout = turn.rollout
    return (
        f"that was before the rollout {rollout.id} of {rollout.version}, now in {rollout.phase}, started; "
        "name it if it is meant"
    )


def overtaken(turn: Turn, command: Command) -> str | None:
    """Refuse a pause or resume that comes after one that was sent later: the last word is what counts."""
    at = turn.rollout.steered_at
    return None if command.at >= at else "a pause or resume that was sent later has been obeyed; send it again if meant"


def overtaken_freeze(turn: Turn, command: Command) -> str | None:
    """Refuse a freeze or unfreeze that comes after one that was sent later."""
    at = turn.state.steered_at
    return (
        None if command.at >= at else "a freeze or unfreeze that was sent later has been obeyed; send it again if meant"
    )


def past_changing(turn: Turn, _command: Command) -> str | None:
    """Refuse what would change a rollout that is on its way back, or letting go of the old version."""
    rollout, phase = turn.rollout, turn.rollout.phase
    if phase in FORWARD:
        return None
    if rollout.abort_reason is not None:
        again = "once that is over, send retry to have it again"
        return f"the rollout of {rollout.version} is in {phase}, taken back because {rollout.abort_reason}; {again}"
    return f"the rollout of {rollout.version} is in {phase} and cannot be stopped or changed; {_way_back(turn)}"


def _way_back(turn: Turn) -> str:
    if turn.rollout.kind is Kind.FLEET:
        return "to go back once it is over, declare the fleet that was live before, and deploy"
    return f"to go back to {turn.state.live.version}, send rollback: that starts once this is over"


def nothing_watched(turn: Turn, _command: Command) -> str | None:
    """Refuse to end a watch where there is none."""
    phase = turn.rollout.phase
    if phase in (Phase.SHADOW, *WATCHED):
        return None
    return (
        f"the rollout is in {phase}, where nothing is being watched; ask again in SHADOW, BAKE, APPROVE or SOAK, or "
        "send promote full to skip the steps that are left"
    )


def no_approval_wanted(turn: Turn, _command: Command) -> str | None:
    """Refuse an approval that nothing waits for, or that nobody can judge yet."""
    rollout, step = turn.rollout, f"the step at {turn.rollout.weight} %"
    if not wants_approval(rollout):
        return f"the rollout is in {rollout.phase}, and {step} asks for no approval; promote ends what is being watched"
    if rollout.phase not in WATCHED:
        return f"the rollout is in {rollout.phase}, and {step} has not begun; ask again in BAKE, APPROVE or SOAK"
    if rollout.has(APPROVAL):
        return f"{step} is approved already: the rollout, in {rollout.phase}, goes on once it has been watched"
    return None


def nothing_to_retry(turn: Turn, command: Command) -> str | None:
    """Refuse to try again when neither a change of the fleet nor a version has failed."""
    return None if turn.state.has_failed_fleet else no_version_to_retry(turn, command)


def no_version_to_retry(turn: Turn, _command: Command) -> str | None:
    """Refuse to roll the version out again that failed last, when none did or something else comes before it."""
    state, rollout = turn.state, turn.state.rollout
    if rollout is not None:
        return (
            f"the rollout of {rollout.version} is in {rollout.phase}, and one runs at a time; "
            "ask again once it is over, or abort it first"
        )
    if state.failed is None:
        return f"nothing has failed since {state.live.version} went live; {_ROLL_OUT}"
    if state.queued is not None:
        return (
            f"{state.queued.version} waits to be rolled out, and {state.failed.version}, which failed, would take its "
            f"place; reject {state.queued.version} first if that is wanted"
        )
    return None


def no_way_back(turn: Turn, command: Command) -> str | None:
    """Refuse to go back to what cannot be had, or to where the endpoint is or is going anyway."""
    candidate, rollout, live = command.candidate, turn.state.rollout, turn.state.live
    if already := _back_already(turn, command):
        return already
    if candidate is None:
        return command.refusal or "no version was named"
    if rollout is None:
        name_another = "name another version to go back to"
        return f"{live.version} is live already; {name_another}" if same(candidate, live) else None
    if not same(candidate, live):
        return _comes_anyway(turn) if same(candidate, rollout) else None
    if rollout.abort_reason is not None:
        return f"the rollout of {rollout.version} is in {rollout.phase}: {live.version} has all the traffic again soon"
    # A relative wish is about what was active when it was made.
    return None if command.to else meant_for_an_earlier_one(turn, command)


def _back_already(turn: Turn, command: Command) -> str | None:
    """Refuse to go back to whatever was live before where that would undo somebody's way back."""
    rollout, live = turn.state.rollout, turn.state.live
    if command.to:
        return None
    if rollout is not None:
        coming = rollout.goes_back and rollout.abort_reason is None
        said = f"{rollout.version} is being rolled back to already, in {rollout.phase}; name a version to go elsewhere"
        return said if coming else None
    if is_unknown(live):
        # What was live before may be what somebody got away from so.
        return (
            f"nobody knows which version is live with the config {live.config}, which was put live by hand, or made "
            "from one that was; name the version to go to (history lists them)"
        )
    if live.restored:
        return f"{live.version} is live because somebody rolled back to it; name the version to go back to further"
    return None


def _comes_anyway(turn: Turn) -> str | None:
    rollout = turn.rollout
    if rollout.abort_reason is not None:
        return None
    return (
        f"{rollout.version} is what is being rolled out, in {rollout.phase}; promote full gives it all the traffic, "
        f"abort leaves {turn.state.live.version} live"
    )
