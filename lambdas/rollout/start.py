"""Starting the rollout that waits: the way back first, then the desired fleet, then the approved model."""

from dataclasses import replace
from typing import Any

from lambdas.contract import PACKAGE_APPROVED, other_slot
from lambdas.rollout.decision import Decision, Entry, Turn, seconds, with_notice
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.gates import frozen_or_closed
from lambdas.rollout.policy import Policy
from lambdas.rollout.settings import Settings
from lambdas.rollout.state import Artefact, Candidate, Kind, Phase, Rollout, Source, State, rollout_id
from lambdas.rollout.versions import last_live, same

MOST_ARTEFACTS = 600
"""All of them must fit into the endpoint's item."""


def start_next(turn: Turn) -> Decision | None:
    """Start what waits; None when nothing does."""
    if not turn.state.has_work:
        return None
    if not _fleet_comes_first(turn.state) and (dropped := _drop_stale(turn)):
        return dropped
    if obstacle := _obstacle(turn):
        return _say_once(turn, obstacle)
    return _start(turn, turn.seen.settings) if turn.seen.settings else None


def last_failed(rollout: Rollout) -> Candidate | None:
    """Return what a rollout that ended without a promotion brought, to be retried; None for a fleet."""
    if rollout.kind is not Kind.MODEL:
        return None
    source = rollout.source if rollout.container is None else None
    # Its approval has been answered: what is approved at any time from now on counts as newer.
    return Candidate(
        rollout.package_arn,
        rollout.version,
        0.0,
        rollout.container,
        source,
        back_again=rollout.goes_back,
        sha256=rollout.sha256,
    )


def _fleet_comes_first(state: State) -> bool:
    return bool(state.fleet_changes) and not (state.queued and state.queued.urgent)


def _drop_stale(turn: Turn) -> Decision | None:
    queued, status = turn.state.queued, turn.seen.package_status
    if queued is None:
        return None
    state = replace(turn.state, queued=None)
    if same(queued, turn.state.live):
        text = f"{queued.version} is live already: there is nothing to roll out."
        state = replace(state, newest_started=_newest(turn.state))
    elif queued.container is not None and status not in (None, PACKAGE_APPROVED):
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
    return _closed(turn)


def _closed(turn: Turn) -> str:
    """Return who or what keeps anything from starting now, except the way back."""
    state, settings = turn.state, turn.seen.settings
    if settings is None or (state.queued is not None and state.queued.urgent):
        return ""
    held = frozen_or_closed(state, settings.policy, turn.now)
    return held[0] if held else ""


def _say_once(turn: Turn, obstacle: str) -> Decision | None:
    if turn.state.remark == obstacle:
        return None
    entry = Entry("hold", f"A rollout waits to start, because {obstacle}.")
    return Decision(replace(turn.state, remark=obstacle), wake_at=turn.now, entries=(entry,))


def _start(turn: Turn, settings: Settings) -> Decision:
    state = turn.state
    of_fleet = _fleet_comes_first(state)
    rollout = _rollout(turn, settings, _of_fleet(turn, settings) if of_fleet else _of_model(turn, settings))
    text = _announcement(turn, rollout)
    state = replace(
        state,
        rollout=rollout,
        rollout_count=state.rollout_count + 1,
        newest_started=state.newest_started if of_fleet else _newest(state),
        queued=state.queued if of_fleet else None,
        # Recorded before any is made, so that the clean-up knows them without listing.
        artefacts=(*state.artefacts, *_artefacts(rollout)),
        scaling=None,
        remark="",
    )
    state = with_notice(state, f"{state.name}: rolling out {rollout.version}", text)
    entry = Entry("start", text, {"steps": len(rollout.policy.plan)}, rollout.id, rollout.phase, 0)
    return Decision(state, wake_at=turn.now, entries=(entry,))


def _artefacts(rollout: Rollout) -> tuple[Artefact, ...]:
    configs = filter(None, (rollout.shadow_config, rollout.mixed_config, rollout.final_config))
    return *(Artefact("config", name, rollout.id) for name in configs), Artefact("model", rollout.model, rollout.id)


def _rollout(turn: Turn, settings: Settings, fields: dict[str, Any]) -> Rollout:
    state, now = turn.state, turn.now
    identity = rollout_id(now, state.rollout_count + 1)
    return Rollout(
        id=identity,
        slot=other_slot(state.live.slot),
        stable_slot=state.live.slot,
        stable_config=state.live.config,
        evidence=settings.evidence,
        execution_role_arn=settings.execution_role_arn,
        phase=Phase.SHADOW if fields["policy"].shadow else Phase.PREPARE,
        started_at=now,
        progress_at=now,
        phase_since=now,
        **_names(f"{state.name}-{identity}", fields["policy"]),
        **fields,
    )


def _names(prefix: str, policy: Policy) -> dict[str, Any]:
    return {
        "shadow_config": f"{prefix}-shadow" if policy.shadow else "",
        "mixed_config": f"{prefix}-mixed",
        "final_config": f"{prefix}-final",
        "model": prefix,
    }


def _of_fleet(turn: Turn, settings: Settings) -> dict[str, Any]:
    live, fleet = turn.state.live, turn.state.desired_fleet
    return {
        "kind": Kind.FLEET,
        "version": live.version,
        "package_arn": live.package_arn,
        "container": None,
        "sha256": live.sha256,
        "source": Source(live.config, live.slot, live.image),
        "image": live.image if live.own_image else fleet.image,
        "fleet": fleet,
        "policy": settings.policy,
    }


def _of_model(turn: Turn, settings: Settings) -> dict[str, Any]:
    queued, live, policy = turn.state.queued, turn.state.live, settings.policy
    if queued is None:
        raise LookupError(f"{turn.state.name} has nothing to roll out")
    fleet = live.fleet.with_levels_of(turn.state.desired_fleet)
    straight = queued.straight or _within_window(turn, queued, policy)
    return {
        "kind": Kind.MODEL,
        "version": queued.version,
        "package_arn": queued.package_arn,
        "container": queued.container,
        "sha256": queued.sha256,
        "source": queued.source or Source(live.config, live.slot, live.image),
        "image": _image(queued, fleet),
        "fleet": fleet,
        "policy": policy.straight_to_full() if straight else policy,
        "straight": straight,
        "urgent": queued.urgent,
        "back_again": queued.back_again,
    }


def _image(queued: Candidate, fleet: Fleet) -> str:
    if queued.container is not None:
        return fleet.image_for(str(queued.container["Image"]))
    known = queued.source.image if queued.source else ""
    # Where nobody knows it, the container that is cloned keeps its own.
    return fleet.image_for(known) if known else ""


def _within_window(turn: Turn, queued: Candidate, policy: Policy) -> str:
    past = last_live(turn.state, queued)
    if past is None or turn.now - past.until >= policy.rollback_window_seconds:
        return ""
    window = f"the rollback window of {seconds(policy.rollback_window_seconds)}"
    return f"it was live until {seconds(turn.now - past.until)} ago, within {window}"


def _announcement(turn: Turn, rollout: Rollout) -> str:
    live, policy = turn.state.live, rollout.policy
    if rollout.kind is Kind.FLEET:
        what = f"{rollout.version} onto the changed fleet ({', '.join(turn.state.fleet_changes)})"
    else:
        what = f"{rollout.version} in place of {live.version}"
    straight = f", straight, because {rollout.straight}" if rollout.straight else ""
    first = f"answers copies of {policy.shadow.traffic_percent} % of the requests, then " if policy.shadow else ""
    weights = ", ".join(str(step.weight) for step in policy.plan)
    return (
        f"Rolling out {what} on {turn.state.name}{straight}: {rollout.slot} {first}takes {weights} % of the traffic in "
        f"turn, watched for {seconds(policy.watched_seconds)} in all; {rollout.stable_slot} is the way back."
    )
