"""Starting the rollout that waits: the desired fleet first, then the approved model."""

from dataclasses import replace
from typing import Any

from lambdas.contract import other_slot
from lambdas.rollout.decision import Decision, Entry, Turn, seconds, with_notice
from lambdas.rollout.settings import Settings
from lambdas.rollout.state import Artefact, Candidate, Kind, Rollout, State, rollout_id

MOST_ARTEFACTS = 600
"""All of them must fit into the endpoint's item."""


def start_next(turn: Turn) -> Decision | None:
    """Start what waits; None when nothing does."""
    if not turn.state.has_work:
        return None
    if not turn.state.fleet_changes and (dropped := _drop_stale(turn)):
        return dropped
    if obstacle := _obstacle(turn):
        return _say_once(turn, obstacle)
    return _start(turn, turn.seen.settings) if turn.seen.settings else None


def _drop_stale(turn: Turn) -> Decision | None:
    queued, status = turn.state.queued, turn.seen.package_status
    if queued is None:
        return None
    state = replace(turn.state, queued=None)
    if queued.package_arn == turn.state.live.package_arn:
        text = f"{queued.version} is live already: there is nothing to roll out."
        state = replace(state, newest_started=_newest(turn.state))
    elif status not in (None, "Approved"):
        text = f"{queued.version} is {status} and no longer Approved: it is not rolled out."
    else:
        return None
    return Decision(state, wake_at=turn.now, entries=(Entry("dropped", text),))


def _newest(state: State) -> float:
    return max(state.newest_started, state.queued.approved_at if state.queued else 0.0)


def _obstacle(turn: Turn) -> str:
    live, health, variants = turn.state.live, turn.seen.health, turn.endpoint.variants
    if len(turn.state.artefacts) > MOST_ARTEFACTS:
        return f"{len(turn.state.artefacts)} configs and models of earlier rollouts could not be deleted; see the log"
    if set(variants) != {live.slot}:
        found = ", ".join(sorted(variants))
        return f"the endpoint has the variants {found}; it must have {live.slot} alone, with the config {live.config}"
    if turn.seen.problems:
        return "; ".join(turn.seen.problems)
    if health is not None and health.failing:
        # What the alarm saw is the slot's previous tenant; it would roll the new one back at once.
        return f"alarm {health.unhealthy.name} has not cleared yet"
    if health is not None and health.missing:
        return f"alarm {health.missing} does not exist; deploy the stacks again"
    return ""


def _say_once(turn: Turn, obstacle: str) -> Decision | None:
    if turn.state.remark == obstacle:
        return None
    entry = Entry("hold", f"A rollout waits to start, because {obstacle}.")
    return Decision(replace(turn.state, remark=obstacle), wake_at=turn.now, entries=(entry,))


def _start(turn: Turn, settings: Settings) -> Decision:
    state = turn.state
    fields = _of_fleet(turn) if state.fleet_changes else _of_model(turn, state.queued)
    rollout = _rollout(turn, settings, fields)
    made = (("config", rollout.mixed_config), ("config", rollout.final_config), ("model", rollout.model))
    text = _announcement(turn, rollout)
    state = replace(
        state,
        rollout=rollout,
        rollout_count=state.rollout_count + 1,
        newest_started=_newest(state) if rollout.kind is Kind.MODEL else state.newest_started,
        queued=state.queued if rollout.kind is Kind.FLEET else None,
        # Recorded before any is made, so that the clean-up knows them without listing.
        artefacts=(*state.artefacts, *(Artefact(kind, name, rollout.id) for kind, name in made)),
        scaling=None,
        remark="",
    )
    state = with_notice(state, f"{state.name}: rolling out {rollout.version}", text)
    entry = Entry("start", text, {"steps": len(rollout.policy.steps)}, rollout.id, rollout.phase, 0)
    return Decision(state, wake_at=turn.now, entries=(entry,))


def _rollout(turn: Turn, settings: Settings, fields: dict[str, Any]) -> Rollout:
    state, now = turn.state, turn.now
    identity = rollout_id(now, state.rollout_count + 1)
    prefix = f"{state.name}-{identity}"
    return Rollout(
        id=identity,
        slot=other_slot(state.live.slot),
        stable_slot=state.live.slot,
        stable_config=state.live.config,
        mixed_config=f"{prefix}-mixed",
        final_config=f"{prefix}-final",
        model=prefix,
        policy=settings.policy,
        evidence=settings.evidence,
        execution_role_arn=settings.execution_role_arn,
        started_at=now,
        phase_since=now,
        **fields,
    )


def _of_fleet(turn: Turn) -> dict[str, Any]:
    live, fleet = turn.state.live, turn.state.desired_fleet
    return {
        "kind": Kind.FLEET,
        "version": live.version,
        "package_arn": live.package_arn,
        "container": None,
        "image": live.image if live.own_image else fleet.image,
        "fleet": fleet,
    }


def _of_model(turn: Turn, queued: Candidate | None) -> dict[str, Any]:
    if queued is None:
        raise LookupError(f"{turn.state.name} has nothing to roll out")
    fleet = turn.state.live.fleet.with_levels_of(turn.state.desired_fleet)
    return {
        "kind": Kind.MODEL,
        "version": queued.version,
        "package_arn": queued.package_arn,
        "container": queued.container,
        "image": fleet.image_for(str(queued.container["Image"])),
        "fleet": fleet,
    }


def _announcement(turn: Turn, rollout: Rollout) -> str:
    live = turn.state.live
    if rollout.kind is Kind.FLEET:
        what = f"{rollout.version} onto the changed fleet ({', '.join(turn.state.fleet_changes)})"
    else:
        what = f"{rollout.version} in place of {live.version}"
    weights = ", ".join(str(step.weight) for step in rollout.policy.steps)
    return (
        f"Rolling out {what} on {turn.state.name}: {rollout.slot} takes {weights} % of the traffic in turn, "
        f"watched for {seconds(rollout.policy.watched_seconds)} in all; {rollout.stable_slot} is the way back."
    )
