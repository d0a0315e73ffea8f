"""Requests to an endpoint's rollouts: which there are, when each is obeyed, and that each has one effect.

They come from operators, and from what is approved or withdrawn in the registry. Every one of them leaves one audit
entry of the kind ``command``. Asking for what holds already (pause, resume, promote full, freeze, unfreeze) is
accepted and changes nothing, so that asking again is safe.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from lambdas.rollout import effects, refusals
from lambdas.rollout.decision import Decision, Turn
from lambdas.rollout.effects import nothing_done
from lambdas.rollout.refusals import Check
from lambdas.rollout.state import REMEMBERED_COMMANDS, Command, Rollout, State

_ON_A_ROLLOUT = (refusals.not_under_way, refusals.meant_for_an_earlier_one, refusals.past_changing)


@dataclass(frozen=True)
class Rule:
    """What a command does, and what it is refused for: the first check that returns a reason."""

    obey: Callable[[Turn, Command], Decision]
    checks: tuple[Check, ...] = ()


_RULES: Mapping[str, Rule] = {
    "abort": Rule(effects.abort_rollout, _ON_A_ROLLOUT),
    "pause": Rule(effects.pause, (*_ON_A_ROLLOUT, refusals.overtaken)),
    "resume": Rule(effects.resume, (*_ON_A_ROLLOUT, refusals.overtaken)),
    "promote": Rule(effects.promote, (*_ON_A_ROLLOUT, refusals.nothing_watched)),
    "approve": Rule(effects.approve, (*_ON_A_ROLLOUT, refusals.no_approval_wanted)),
    "retry": Rule(effects.retry, (refusals.nothing_to_retry,)),
    "rollback": Rule(effects.rollback, (refusals.meant_for_another, refusals.no_way_back)),
    "freeze": Rule(effects.freeze, (refusals.overtaken_freeze,)),
    "unfreeze": Rule(effects.unfreeze, (refusals.overtaken_freeze,)),
}
_PROMOTE_FULL = Rule(effects.promote_full, _ON_A_ROLLOUT)
_PROMOTE_FAILED = Rule(effects.promote_failed, (refusals.meant_for_another, refusals.no_version_to_retry))
KINDS = tuple(_RULES)


def submit(state: State, command: Command) -> State | None:
    """Return the state with the command waiting, or None when its id has been taken before."""
    return None if is_taken(state, command) else replace(state, commands=(*state.commands, command))


def is_taken(state: State, command: Command) -> bool:
    """Return whether a command of that id has been obeyed or waits to be."""
    return command.id in state.seen or any(waiting.id == command.id for waiting in state.commands)


def abort_once(state: State, rollout: Rollout, occasion: str, reason: str, now: float) -> State:
    """Return the state in which an abort of the rollout waits: one for each occasion, however often it is noticed."""
    command = Command(f"{occasion}-{rollout.id}", "abort", now, "the model registry", reason, rollout.id)
    return submit(state, command) or state


def answered(state: State, *commands: Command) -> State:
    """Return the state in which commands have had their effect, so that they have no other."""
    seen = (*state.seen, *(command.id for command in commands))
    return replace(state, seen=seen[-REMEMBERED_COMMANDS:])


def obey_commands(turn: Turn) -> Decision | None:
    """Obey the command that has waited longest; its id is remembered in the same write, so that it has one effect."""
    if not turn.state.commands:
        return None
    command, *rest = turn.state.commands
    turn = replace(turn, state=answered(replace(turn.state, commands=tuple(rest)), command))
    rule = _rule(turn, command)
    if rule is None:
        return nothing_done(turn, command, f"there is no such command; there are {', '.join(KINDS)}")
    refusal = next((found for check in rule.checks if (found := check(turn, command))), None)
    return nothing_done(turn, command, refusal) if refusal else rule.obey(turn, command)


def _rule(turn: Turn, command: Command) -> Rule | None:
    if command.kind == "promote" and command.full:
        return _PROMOTE_FULL if turn.state.rollout else _PROMOTE_FAILED
    return _RULES.get(command.kind)
