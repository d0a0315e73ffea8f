"""What would start a run now, and what stands against that. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lambdas.retraining.decision import Turn, month_of, next_month, said_at
from lambdas.retraining.settings import OnDrift
from lambdas.retraining.state import State, Window

DRIFT, SCHEDULE, NEW_DATA, OPERATOR = "drift", "schedule", "new data", "operator"
_DAY, _MINUTE = 86_400.0, 60.0
_COUNTED = frozenset({"none", "moderate", "severe"})
"""Severities of windows that say something about drift; a suspect or undecided one never counts towards a run."""

_MOST_NAMES = 8


@dataclass(frozen=True)
class Cause:
    """A reason to start a run.

    Parameters
    ----------
    trigger
        One of the names above.
    key
        Tells it from other causes with the same trigger.
    text
        In words.
    since
        The time since which data are to be trained on.
    began
        When drift began; None of a cause that is no drift.
    numbers
        What the text says, for programs.
    """

    trigger: str
    key: str
    text: str
    since: float
    began: float | None = None
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """Why no run starts now: in a word, in words, and the numbers in them."""

    kind: str
    text: str
    numbers: dict[str, Any] = field(default_factory=dict)


def due(turn: Turn) -> Cause | None:
    """Return what would start a run now by itself; drift goes first, for it says most."""
    return _drift(turn) or _schedule(turn) or _new_data(turn)


def fresh(state: State) -> list[Window]:
    """Return the windows that say something of what is live and that no run has dealt with, in order of time."""
    return [window for window in state.windows if window.start >= state.fresh_from]


def _drift(turn: Turn) -> Cause | None:
    rule = turn.settings.on_drift
    if rule is None:
        return None
    latest = fresh(turn.state)[-rule.of :]
    severe = [window for window in latest if counts(window, rule)]
    if len(severe) < rule.windows:
        return None
    names = list(dict.fromkeys(name for window in severe for name in window.features))
    text = (
        f"{len(severe)} of the last {len(latest)} windows had {rule.severe_features} or more severely drifted features "
        f"({_listed(names)}), since {said_at(severe[0].start)}; the rule is {rule.windows} of {rule.of}"
    )
    numbers = {"windows": [window.id for window in severe], "features": names, "of": len(latest)}
    began = _began(turn.state, severe[0], rule)
    since = began - turn.settings.lookback_minutes * _MINUTE
    return Cause(DRIFT, severe[-1].id, text, since, began, numbers)


def counts(window: Window, rule: OnDrift) -> bool:
    """Return whether a window counts towards a run."""
    return window.severity in _COUNTED and window.severe >= rule.severe_features


def _began(state: State, first: Window, rule: OnDrift) -> float:
    """Return when the drift began: before the windows that were looked at, as far as it goes on without a gap."""
    earlier = [window for window in fresh(state) if window.start <= first.start]
    began = first.start
    for window in reversed(earlier):
        if not counts(window, rule):
            break
        began = window.start
    return began


def _schedule(turn: Turn) -> Cause | None:
    days, state = turn.settings.schedule_days, turn.state
    if days is None or turn.now < state.scheduled_from + days * _DAY:
        return None
    text = f"{days:g} days have passed since {said_at(state.scheduled_from)}"
    return Cause(SCHEDULE, f"{state.scheduled_from:.0f}", text, since_of_history(turn), numbers={"days": days})


def _new_data(turn: Turn) -> Cause | None:
    state = turn.state
    if not turn.settings.on_new_data or state.data_at <= state.data_until:
        return None
    text = f"new data came at {said_at(state.data_at)}; the data until {said_at(state.data_until)} were trained on"
    text = text if state.data_until else f"new data came at {said_at(state.data_at)}"
    return Cause(NEW_DATA, f"{state.data_until:.0f}", text, since_of_history(turn), numbers={"at": state.data_at})


def since_of_history(turn: Turn) -> float:
    """Return how far back a run reaches that drift did not start."""
    return turn.now - turn.settings.history_days * _DAY


def against(turn: Turn, trigger: str) -> Refusal | None:
    """Return why no run may start now; None when it may."""
    return _under_way(turn) or _rolling_out(turn, trigger) or _cooling_down(turn, trigger) or _spent(turn)


def _under_way(turn: Turn) -> Refusal | None:
    run, approval = turn.state.run, turn.state.approval
    if run is not None:
        text = f"the run {run.id} is under way since {said_at(run.decided_at)}, and one runs at a time"
        return Refusal("under way", text, {"run": run.id})
    if approval is not None:
        text = f"{approval.version}, which the run {approval.run} registered, is just being approved"
        return Refusal("approving", text, {"run": approval.run})
    return None


def _rolling_out(turn: Turn, trigger: str) -> Refusal | None:
    version = turn.live.rolling_out
    if not version or trigger == OPERATOR:
        return None
    text = f"{version} is being rolled out, and what it will be like is not known yet; an operator may start it anyway"
    return Refusal("rolling out", text, {"version": version})


def _cooling_down(turn: Turn, trigger: str) -> Refusal | None:
    ended, minutes = turn.state.last_ended_at, turn.settings.cooldown_minutes
    if ended is None or trigger == OPERATOR or turn.now >= ended + minutes * _MINUTE:
        return None
    until = ended + minutes * _MINUTE
    text = (
        f"the run {turn.state.last_run} ended {(turn.now - ended) / _MINUTE:.1f} minutes ago, and {minutes:g} minutes "
        f"must pass (cooldown_minutes), which is until {said_at(until)}"
    )
    return Refusal("cooling down", text, {"ended_at": ended, "until": until, "minutes": minutes})


def _spent(turn: Turn) -> Refusal | None:
    month, most = month_of(turn.now), turn.settings.monthly_runs
    used = turn.state.month_runs if turn.state.month == month else 0
    if used < most:
        return None
    text = f"{used} of {most} runs of {month} (monthly_runs) are used; the next may start on {next_month(turn.now)}"
    return Refusal("budget", text, {"used": used, "monthly_runs": most, "month": month})


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    shown = ", ".join(names[:_MOST_NAMES]) or "unnamed"
    return f"{shown} and {more} more" if more > 0 else shown
