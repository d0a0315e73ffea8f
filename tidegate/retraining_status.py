"""How an endpoint's retraining stands: what is under way, or why nothing starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lambdas.retraining import triggers
from lambdas.retraining.decision import Turn, month_of
from lambdas.retraining.said import Given, Live, Look
from lambdas.retraining.settings import Settings
from lambdas.retraining.state import Champion, State, Window
from lambdas.retraining.triggers import Cause, Refusal
from lambdas.rollout.state import Kind
from lambdas.rollout.state import State as Rollouts
from lambdas.rollout.versions import BOOTSTRAP
from tidegate.documents import moment
from tidegate.retraining import Run
from tidegate.retraining_approvals import Waiting

_MINUTE, _DAY = 60.0, 86_400.0


@dataclass(frozen=True)
class Counted:
    """A window that says something of what is live, and whether it counts towards a run."""

    window: Window
    counts: bool


@dataclass(frozen=True)
class Standing:
    """How retraining stands at a moment.

    Parameters
    ----------
    settings, state
        When and how the model is retrained, and what is durable.
    at
        Epoch seconds.
    cause
        What would start a run by itself now.
    against_cause, against_drift, against_operator
        What stands against that; against a run that drift would start; and against one that an operator orders.
    windows
        The last windows that the rule on drift looks at.
    last
        The run that ended last.
    left
        What the last runs registered and left to a person.
    """

    settings: Settings
    state: State
    at: float
    cause: Cause | None
    against_cause: Refusal | None
    against_drift: Refusal | None
    against_operator: Refusal | None
    windows: tuple[Counted, ...]
    last: Run | None
    left: tuple[Waiting, ...] = ()

    @property
    def month_runs(self) -> int:
        """How many runs have begun in this calendar month."""
        return self.state.month_runs if self.state.month == month_of(self.at) else 0

    @property
    def cooldown_until(self) -> float | None:
        """Until when no run starts by itself after the last one; None when that has passed."""
        ended = self.state.last_ended_at
        until = None if ended is None else ended + self.settings.cooldown_minutes * _MINUTE
        return until if until is not None and until > self.at else None

    @property
    def scheduled_at(self) -> float | None:
        """When the schedule asks for the next run; None without one, or before the first look."""
        days, since = self.settings.schedule_days, self.state.scheduled_from
        return None if days is None or not since else since + days * _DAY


def standing(settings: Settings, state: State, live: Live, runs: Sequence[Run], at: float) -> Standing:
    """Return how retraining stands, by the very rules that the controller goes by. Pure."""
    turn = Turn(state, Given(Look(), live), at, settings)
    cause = None if state.run is not None else triggers.due(turn)
    rule = settings.on_drift
    latest = triggers.fresh(state)[-rule.of :] if rule else []
    ended = [run for run in runs if run.ended]
    return Standing(
        settings=settings,
        state=state,
        at=at,
        cause=cause,
        against_cause=triggers.against(turn, cause.trigger) if cause else None,
        against_drift=triggers.against(turn, triggers.DRIFT),
        against_operator=triggers.against(turn, triggers.OPERATOR),
        windows=tuple(Counted(window, triggers.counts(window, rule)) for window in latest) if rule else (),
        last=max(ended, key=lambda run: run.ended_at, default=None),
    )


def live_of(rollouts: Rollouts | None, settings: Settings) -> Live:
    """Return what is live and what is on its way, as the controller is told it."""
    if rollouts is None:
        return Live(Champion(settings.bootstrap.version))
    live, rollout = rollouts.live, rollouts.rollout
    template = live.package_arn is None and live.version == BOOTSTRAP
    on_its_way = rollout.version if rollout is not None and rollout.kind is Kind.MODEL else ""
    waits = rollouts.queued.version if rollouts.queued is not None else ""
    version = settings.bootstrap.version if template else live.version
    return Live(Champion(version, live.package_arn, live.config, live.slot), on_its_way or waits)


def document(endpoint: str, found: Standing | None) -> dict[str, Any]:
    """Return what ``retrain status`` says; every field is null where retraining is not declared."""
    if found is None:
        return {"endpoint": endpoint, "retrained": False, **dict.fromkeys(_FIELDS)}
    state, settings = found.state, found.settings
    values = (
        _run(state),
        asdict(state.approval) if state.approval else None,
        {"trigger": found.cause.trigger, "text": found.cause.text} if found.cause else None,
        _refusal(found.against_cause or found.against_drift),
        _refusal(found.against_operator),
        moment(found.cooldown_until),
        found.month_runs,
        settings.monthly_runs,
        asdict(settings.on_drift) if settings.on_drift else None,
        [_window(each) for each in found.windows],
        moment(found.scheduled_at),
        run_document(found.last) if found.last else None,
        [asdict(each) for each in found.left],
    )
    return {"endpoint": endpoint, "retrained": True, **dict(zip(_FIELDS, values, strict=True))}


_FIELDS = (
    "run",
    "approval",
    "cause",
    "against",
    "against_operator",
    "cooldown_until",
    "month_runs",
    "monthly_runs",
    "rule",
    "windows",
    "scheduled_at",
    "last",
    "waiting",
)


def run_document(run: Run) -> dict[str, Any]:
    """Return a run as it is listed; what has not happened yet is null."""
    return {name: value or None for name, value in asdict(run).items()} | {"numbers": dict(run.numbers)}


def _run(state: State) -> dict[str, Any] | None:
    run = state.run
    if run is None:
        return None
    return {
        "id": run.id,
        "trigger": run.trigger,
        "reason": run.reason,
        "champion": run.champion.version,
        "status": run.status.value,
        "execution": run.execution,
        "started_at": moment(run.decided_at),
        "since": moment(run.since),
        "until": moment(run.until),
        "attempts": run.attempts,
        "problem": run.problem or None,
        "stopping": run.stopping or None,
    }


def _refusal(refusal: Refusal | None) -> dict[str, str] | None:
    return None if refusal is None else {"why": refusal.kind, "text": refusal.text}


def _window(each: Counted) -> dict[str, Any]:
    window = each.window
    return {
        "window": window.id,
        "severity": window.severity,
        "severe": window.severe,
        "features": list(window.features),
        "counts": each.counts,
    }
