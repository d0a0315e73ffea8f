"""What must always hold, whatever goes wrong: the list of the design, one small checker each.

A checker looks at one kind of moment: a call that is about to be carried out (`Asking`), a write that is about to
become durable (`Writing`), the passing of time (`Passing`), or the end of a run (`Ending`). It returns what is wrong,
or None.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lambdas.contract import FULL_WEIGHT
from lambdas.rollout.engine import LEASE_SECONDS
from lambdas.rollout.policy.policy import SHARE
from lambdas.rollout.state import TERMINAL, Phase, Rollout
from lambdas.rollout.sweeper import PERIOD
from localcloud.physics.records import IN_SERVICE
from localcloud.simulation.boundary import WORKER_SECONDS
from localcloud.simulation.ends import described, may_be_live
from localcloud.simulation.facts import NO_WEIGHT, Facts
from localcloud.simulation.faults import MUTATIONS
from localcloud.simulation.moments import Asking, Ending, Passing, Writing

LOOKED_AT_SECONDS = 120.0
ROLLED_BACK_SECONDS = LEASE_SECONDS + PERIOD
_SLACK_SECONDS = 10.0
"""For the calls themselves, and events on their way."""

_TOLERANCE = 0.5
_OF_ROLLOUTS = frozenset(
    name for name in MUTATIONS if name.split(".")[1].startswith(("create", "update", "set_weights"))
)

Checker = Callable[[Any], str | None]


@dataclass(frozen=True)
class Invariant:
    """One line of the list."""

    number: int
    text: str
    moment: type
    check: Checker


INVARIANTS: list[Invariant] = []


def always(number: int, text: str, moment: type) -> Callable[[Checker], Checker]:
    """Add a checker to the list."""

    def add(check: Checker) -> Checker:
        INVARIANTS.append(Invariant(number, text, moment, check))
        return check

    return add


@always(1, "At most one non-terminal rollout per endpoint", Writing)
def one_rollout(at: Writing) -> str | None:
    """Check that a rollout only begins once all others have ended."""
    others = at.facts.open_rollouts - {at.after.rollout.id if at.after.rollout else ""}
    ended = {at.write.rollout.id} if at.write.rollout is not None and at.write.rollout.phase in TERMINAL else set()
    left = sorted(others - ended)
    return (
        f"{', '.join(left)} has not ended, and {at.after.rollout and at.after.rollout.id} is active" if left else None
    )


@always(2, "Abort is monotonic: once durable, never undone", Writing)
def abort_is_monotonic(at: Writing) -> str | None:
    """Check that an aborted rollout only goes back, and ends rolled back or abandoned."""
    if at.old is None or not at.old.abort_reason:
        return None
    if at.new is not None:
        undone = not at.new.abort_reason or at.new.phase not in (Phase.ROLLBACK, Phase.RESTORE)
        return f"{at.old.id} was aborted, and is now in {at.new.phase}" if undone else None
    ended = at.write.rollout
    if ended is None or ended.id != at.old.id or ended.phase not in (Phase.ROLLED_BACK, Phase.ABANDONED):
        return f"{at.old.id} was aborted, and vanished without having been rolled back"
    return None


@always(3, "No canary weight increase is accepted after a durable abort", Asking)
def no_increase_after_abort(at: Asking) -> str | None:
    """Check that nothing gives an aborted version more traffic."""
    if at.rollout is None or not at.rollout.abort_reason:
        return None
    if at.name == "endpoints.set_weights" and at.arguments[1].get(at.rollout.slot, 0.0) > 0:
        return f"{at.rollout.id} is aborted, and {at.rollout.slot} is given {at.arguments[1][at.rollout.slot]:g} %"
    if at.name == "endpoints.update" and at.arguments[1] != at.rollout.stable_config:
        return f"{at.rollout.id} is aborted, and {at.arguments[1]} is put live"
    return None


@always(4, "No mutation after a terminal phase", Asking)
def no_mutation_after_terminal(at: Asking) -> str | None:
    """Check that the calls of rollouts are only made while there is one."""
    return f"{at.name} without an active rollout" if at.rollout is None and at.name in _OF_ROLLOUTS else None


@always(5, "ROLLED_BACK => canary current = desired = 0, stable config, InService", Writing)
def rolled_back_means_it(at: Writing) -> str | None:
    """Check the endpoint itself when a rollout ends rolled back."""
    ended = at.write.rollout
    if ended is None or ended.phase is not Phase.ROLLED_BACK or at.facts.has_not_seen(at.worker):
        return None
    served = at.facts.cloud.served(ended.slot)
    if served is not None and (served.weight or served.desired_weight):
        return f"{ended.slot} has the weights {served}"
    return _not_in_service_on(at.facts, ended.stable_config)


@always(6, "PROMOTED => final config verified, InService", Writing)
def promoted_means_it(at: Writing) -> str | None:
    """Check the endpoint itself when a rollout ends promoted."""
    ended = at.write.rollout
    if ended is None or ended.phase is not Phase.PROMOTED or at.facts.has_not_seen(at.worker):
        return None
    share = at.facts.cloud.share(ended.slot)
    if share != FULL_WEIGHT:
        return f"{ended.slot} takes {share:g} % of the traffic"
    return _not_in_service_on(at.facts, ended.final_config)


def _not_in_service_on(facts: Facts, config: str) -> str | None:
    endpoint = facts.cloud.endpoint
    if endpoint is None or endpoint.status != IN_SERVICE or endpoint.config.name != config:
        return f"the endpoint is {endpoint and endpoint.status} on {endpoint and endpoint.config.name}, not on {config}"
    return None


@always(7, "Steps advance by at most one, never back", Writing)
def one_step_at_a_time(at: Writing) -> str | None:
    """Check every change of the step."""
    if at.old is None or at.new is None or 0 <= at.new.step - at.old.step <= 1:
        return None
    return f"step {at.old.step} -> {at.new.step}"


@always(8, "Bake counts only from a verified weight; observed drift restarts it", Writing)
def bake_is_of_a_verified_weight(at: Writing) -> str | None:
    """Check that the weight really stood when its watch begins."""
    if at.new is None or at.new.verified_since is None:
        return None
    if at.facts.has_not_seen(at.worker) or (at.old is not None and at.new.verified_since == at.old.verified_since):
        return None
    standing = at.facts.standing.get(at.new.slot)
    if standing is None or standing.weight != _weight_of(at.new):
        return f"the watch at {at.new.weight} % begins, and {at.new.slot} stands at {standing}"
    return None


@always(8, "Bake counts only from a verified weight; observed drift restarts it", Writing)
def bake_is_complete(at: Writing) -> str | None:
    """Check that the weight really stood for as long as the policy says before the rollout goes on."""
    old, new = at.old, at.new
    if old is None or new is None or old.phase not in _WATCHED or new.abort_reason or new.bake_skipped:
        return None
    if at.facts.has_not_seen(at.worker):
        # What was decided on a look just before, was decided rightly.
        return None
    if new.step == old.step and new.phase is not (Phase.PREPARE if old.phase is Phase.SHADOW else Phase.FINALIZE):
        return None
    standing, wanted = at.facts.standing.get(old.slot), old.bake_seconds
    stood = at.facts.now - standing.since if standing is not None and standing.weight == _weight_of(old) else 0.0
    if stood + _TOLERANCE >= wanted or old.bake_skipped or (old.phase is Phase.SHADOW and not old.policy.shadow):
        return None
    return f"{old.phase} at {old.weight} % ends after {stood:.0f} s of {wanted} s"


def _weight_of(rollout: Rollout) -> float:
    return NO_WEIGHT if rollout.phase is Phase.SHADOW else rollout.weight


_WATCHED = (Phase.SHADOW, Phase.SHIFT, Phase.BAKE, Phase.APPROVE, Phase.SOAK)


@always(9, "No mutation whose intent is not already durable", Asking)
def intent_is_durable(at: Asking) -> str | None:
    """Check a call against what the item says is being done."""
    kind = at.name.split(".")[1]
    return _INTENT[kind](at) if kind in _INTENT else f"{at.name} is not known to be intended ever"


def _update_is_intended(at: Asking) -> str | None:
    target, sent = at.arguments[1], at.rollout.sent if at.rollout else None
    return None if sent is not None and sent.target == target else f"update to {target}, and the item says {sent}"


def _weights_are_intended(at: Asking) -> str | None:
    if at.rollout is None:
        return "weights are set without a rollout"
    share, phase = at.arguments[1].get(at.rollout.slot), at.rollout.phase
    intended = {Phase.FINALIZE: FULL_WEIGHT, Phase.SHIFT: float(at.rollout.weight)}.get(phase, 0.0)
    known = phase in (Phase.PREPARE, Phase.SHIFT, Phase.FINALIZE, Phase.ROLLBACK, Phase.RESTORE)
    return None if known and share == intended else f"weight {share} in {phase}, where {intended} is intended"


def _artefact_is_recorded(at: Asking) -> str | None:
    made = at.arguments[0].name
    return None if any(each.name == made for each in at.state.artefacts) else f"{made} is not recorded"


def _deletion_is_intended(at: Asking) -> str | None:
    recorded = any(each.name == at.arguments[1] for each in at.state.artefacts)
    return (
        None if recorded and at.rollout is None else f"{at.arguments[1]} is deleted, and is not the engine's to delete"
    )


def _capacity_is_intended(at: Asking) -> str | None:
    if at.rollout is None:
        return None if at.state.shortfall is not None else "the capacity is set, and the item does not say so"
    asked, sent = f"{at.arguments[2]} instances of {at.arguments[1]}", at.rollout.sent
    return None if sent is not None and sent.target == asked else f"{asked} are asked for, and the item says {sent}"


def _scaling_is_intended(at: Asking) -> str | None:
    return None if at.state.scaling == at.arguments[2] else f"autoscaling is made {at.arguments[2]}"


def _release_is_intended(at: Asking) -> str | None:
    wanted = at.state.retired or at.state.scaling is not None or (at.rollout and at.rollout.phase in _FIRST)
    return None if wanted else "autoscaling is released, and the item does not say so"


_FIRST = (Phase.SHADOW, Phase.PREPARE)
_INTENT: dict[str, Callable[[Asking], str | None]] = {
    "update": _update_is_intended,
    "set_weights": _weights_are_intended,
    "create_model": _artefact_is_recorded,
    "create_mixed_config": _artefact_is_recorded,
    "create_final_config": _artefact_is_recorded,
    "create_shadow_config": _artefact_is_recorded,
    "delete": _deletion_is_intended,
    "set_capacity": _capacity_is_intended,
    "keep": _scaling_is_intended,
    "release": _release_is_intended,
}


@always(10, "One lease holder; lease > Lambda timeout", Asking)
def only_the_holder_acts(at: Asking) -> str | None:
    """Check that whoever changes something holds the lease, and will not outlive it."""
    holder, until = at.state.lease_owner, at.state.lease_until
    if at.state.retired or (
        holder == at.worker.name and until >= at.worker.deadline and LEASE_SECONDS > WORKER_SECONDS
    ):
        return None
    return f"{at.worker.name} calls {at.name} while the lease is {holder}'s until {until - at.facts.now:+.1f} s"


@always(10, "One lease holder; lease > Lambda timeout", Writing)
def a_lease_is_not_taken_away(at: Writing) -> str | None:
    """Check that a lease only changes hands when it is free, has run out, or is given back."""
    holder = at.before.lease_owner
    if at.after.lease_owner == holder or holder in (None, at.worker.name) or at.after.retired:
        return None
    left = at.before.lease_until - at.facts.now
    return f"{at.worker.name} takes the lease of {holder}, who has it for {left:.1f} s more" if left > 0 else None


@always(11, "Paused => no promotion, yet rollback still works", Writing)
def paused_stands_still(at: Writing) -> str | None:
    """Check that a paused rollout takes no step forward."""
    if at.old is None or at.new is None or not (at.old.paused and at.new.paused):
        return None
    forward = at.new.step > at.old.step or (at.new.phase is Phase.FINALIZE and at.old.phase is not Phase.FINALIZE)
    return f"{at.old.phase} -> {at.new.phase}, step {at.old.step} -> {at.new.step}, while paused" if forward else None


@always(11, "Paused => no promotion, yet rollback still works", Asking)
def paused_gets_no_more_traffic(at: Asking) -> str | None:
    """Check that a paused version's weight does not rise."""
    if at.rollout is None or not at.rollout.paused or at.name != "endpoints.set_weights":
        return None
    share, now = at.arguments[1].get(at.rollout.slot, 0.0), at.facts.cloud.share(at.rollout.slot)
    rises = share > now and at.rollout.phase is not Phase.FINALIZE
    return f"{at.rollout.slot} goes from {now:g} to {share:g} % while paused" if rises else None


@always(12, "Each command and event id has one effect", Writing)
def one_effect_each(at: Writing) -> str | None:
    """Check that a command is obeyed once and never lost, and that an approval starts one rollout."""
    twice = [name for name, count in (*at.facts.obeyed.items(), *at.facts.started.items()) if count > 1]
    if twice:
        return f"{twice[0]} had {max(at.facts.obeyed[twice[0]], at.facts.started[twice[0]])} effects"
    left = {command.id for command in at.after.commands} | set(at.after.seen)
    lost = [command.id for command in at.before.commands if command.id not in left]
    return f"the command {lost[0]} was lost" if lost and not at.after.retired else None


@always(12, "Each command and event id has one effect", Writing)
def one_audit_entry_each(at: Writing) -> str | None:
    """Check that the trail says once what became of a command."""
    twice = [name for name, count in at.facts.audited.items() if count > 1]
    silent = set(at.after.seen) - set(at.before.seen) - set(at.facts.audited)
    if twice:
        return f"the command {twice[0]} is in the audit trail {at.facts.audited[twice[0]]} times"
    return f"what became of the command {min(silent)} is not in the audit trail" if silent else None


@always(13, "Every active item is looked at within 120 s", Passing)
def active_is_looked_at(at: Passing) -> str | None:
    """Check when somebody last looked, leaving out the time for which a fault kept them from it."""
    if at.state.retired or (at.state.rollout is None and at.state.wake is None):
        return None
    unseen = at.facts.now - max(at.facts.looked_at, at.facts.faulty_until)
    return f"nobody has looked for {unseen:.0f} s" if unseen > LOOKED_AT_SECONDS else None


@always(14, "Once faults stop: ALARM => canary weight 0 within endpoint-busy time + lease + one sweep", Passing)
def alarm_takes_the_traffic_off(at: Passing) -> str | None:
    """Check that a failing version does not keep traffic."""
    facts, rollout = at.facts, at.state.rollout
    alarmed = facts.alarms.since.get(rollout.slot) if rollout else None
    if rollout is None or alarmed is None or rollout.id in facts.past_abort:
        return None
    since = max(alarmed, facts.faulty_until)
    idle = facts.now - since - facts.busy_seconds_since(since)
    share = facts.cloud.share(rollout.slot)
    if not share or idle <= ROLLED_BACK_SECONDS + _SLACK_SECONDS:
        return None
    return f"{rollout.slot} still takes {share:g} % of the traffic, {idle:.0f} s after the alarm"


@always(14, "Once faults stop: ALARM => canary weight 0 within endpoint-busy time + lease + one sweep", Writing)
def alarm_is_never_promoted(at: Writing) -> str | None:
    """Check that a version whose alarm went off in time does not become the live one."""
    ended = at.write.rollout
    if ended is None or ended.phase is not Phase.PROMOTED or ended.id in at.facts.past_abort:
        return None
    return f"{ended.id} is promoted, and its alarm went off" if ended.slot in at.facts.alarms.since else None


@always(15, "What is live, the seed and the way back are never deleted", Asking)
def nothing_needed_is_deleted(at: Asking) -> str | None:
    """Check every deletion against the endpoint itself and the item."""
    if at.name != "endpoints.delete":
        return None
    kind, name, endpoint = at.arguments[0], at.arguments[1], at.facts.cloud.endpoint
    live = endpoint.config if endpoint else None
    needed = {live.name if live else "", at.state.seed_config, at.state.previous_config, at.state.live.config}
    models = {variant["ModelName"] for variant in live.request["ProductionVariants"]} if live else set()
    return f"the {kind} {name} is needed, and deleted" if name in (models if kind == "model" else needed) else None


@always(15, "Capacity changes only outside PREPARE..SOAK or at a verified weight 0", Asking)
def capacity_stays(at: Asking) -> str | None:
    """Check that instances come and go only where no traffic depends on a quick way back."""
    if at.rollout is None or at.name not in ("endpoints.update", "endpoints.set_capacity"):
        return None
    share = at.facts.cloud.share(at.rollout.slot)
    if share == 0 or (at.rollout.phase is Phase.FINALIZE and share == FULL_WEIGHT):
        return None
    if at.rollout.policy.capacity == SHARE and at.name == "endpoints.set_capacity" and at.rollout.phase is Phase.SHIFT:
        # What is chosen with it, and said by it: a way back that is refused while instances start.
        return None
    return f"{at.name} in {at.rollout.phase} while {at.rollout.slot} takes {share:g} % of the traffic"


@always(16, "Once faults stop, every rollout ends, with the right version live", Ending)
def it_ends_well(at: Ending) -> str | None:
    """Check that nothing is stuck, every command was obeyed, and the item and the endpoint agree."""
    rollout, facts = at.state.rollout, at.facts
    if not at.over:
        return f"it is still in {rollout.phase if rollout else 'no rollout'} ({rollout.remark if rollout else ''})"
    lost = facts.taken - set(facts.obeyed)
    if lost:
        return f"the command {sorted(lost)[0]} was never obeyed"
    return _not_in_service_on(facts, at.state.live.config)


@always(16, "Once faults stop, every rollout ends, with the right version live", Ending)
def the_right_version_is_live(at: Ending) -> str | None:
    """Check what is live against what the scenario, and not the engine, says must be."""
    facts, live = at.facts, described(at.state.live.version, at.state.live.fleet)
    right = may_be_live(facts.end, facts.injected, facts.past_abort)
    if right is None or live in right or not at.over:
        return None
    return f"{live} is live in the end, not {' or '.join(sorted(right))}"
