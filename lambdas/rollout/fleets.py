"""Takes declared fleets in, and endpoints out of service."""

from dataclasses import replace

from lambdas.contract import BOOTSTRAP_SLOT, SLOTS
from lambdas.rollout.approvals import poke
from lambdas.rollout.decision import Entry
from lambdas.rollout.errors import ConflictError, LeaseHeldError, MissingError
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.observation import BUSY, LOST
from lambdas.rollout.perform import release_scaling
from lambdas.rollout.ports import Ports
from lambdas.rollout.state import Phase, State

TRIES = 10

_OUTLIVING = ("version", "audit_count", "rollout_count", "artefacts")
"""What an item keeps when an endpoint of the same name is created again."""


class Fleets:
    """Keeps the desired fleet of endpoints under the endpoint's lock."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def submit(self, name: str, fleet: Fleet, resource: str = "") -> None:
        """Record the fleet that an endpoint should run on, and the physical id of the resource that declares it.

        On a new endpoint it is the live one as well.
        """
        for _ in range(TRIES):
            before, now = self._ports.store.load(name), self._ports.clock.now()
            if before is None or before.retired:
                state, entry = self._first(name, fleet, before)
            else:
                state, entry = _wanted(before, fleet)
            state = replace(state, owners=_without(state, resource) + ((resource,) if resource else ()))
            try:
                self._ports.store.save(replace(state, wake=now), [entry], now=now)
            except ConflictError:
                continue
            poke(self._ports, name)
            return
        raise ConflictError(f"the item of {name} changed {TRIES} times while its fleet was being recorded")

    def _first(self, name: str, fleet: Fleet, before: State | None) -> tuple[State, Entry]:
        endpoint = self._ports.endpoints.describe(name)
        if endpoint.status in LOST:
            raise MissingError(f"the endpoint {name} is {endpoint.status}, so that no fleet can be recorded for it")
        slots = [slot for slot in SLOTS if slot in endpoint.variants]
        state = State.first(name, endpoint.config, fleet, slots[0] if len(slots) == 1 else BOOTSTRAP_SLOT)
        if before is not None:
            kept = {field: getattr(before, field) for field in _OUTLIVING}
            state = replace(state, **kept)
        text = f"{name} is in Tidegate's care: {endpoint.config} on {fleet.instance_type} is live on {state.live.slot}."
        return state, Entry("fleet", text)

    def disown(self, name: str, resource: str) -> bool:
        """Forget a resource that is being deleted, and return whether the endpoint goes with it.

        It stays when another resource declares its fleet: the one that this has been moved to, or, when such a move is
        rolled back, the one that it was moved from.
        """
        for _ in range(TRIES):
            state, now = self._ports.store.load(name), self._ports.clock.now()
            left = _without(state, resource) if state is not None and not state.retired else ()
            if state is None or not left:
                return True
            self._ports.log.info(f"{name} stays: {resource} is deleted, and {', '.join(left)} declares its fleet")
            try:
                self._ports.store.save(replace(state, owners=left), now=now)
            except ConflictError:
                continue
            return False
        raise ConflictError(f"the item of {name} changed {TRIES} times while {resource} was being deleted")

    def retire(self, name: str, owner: str) -> None:
        """Take an endpoint out of the engine's hands: no rollout goes on, no autoscaling acts.

        Raises
        ------
        LeaseHeldError
            When somebody is at work on it; try again.
        """
        now, state = self._ports.clock.now(), self._ports.store.load(name)
        if state is not None and not state.retired:
            if state.leased_to_other(owner, now):
                raise LeaseHeldError(f"{name} is being worked on")
            self._record_retirement(state, now)
        release_scaling(self._ports, name)

    def _record_retirement(self, state: State, now: float) -> None:
        rollout = state.rollout
        ended = rollout.moved(Phase.ABANDONED, now, abort_reason="the endpoint is being removed") if rollout else None
        stopped = f"the rollout of {rollout.version} stops where it is" if rollout else "nothing more is rolled out"
        entry = Entry("retired", f"{state.name} is being removed: {stopped}.", rollout=rollout.id if rollout else None)
        retired = replace(state, rollout=None, queued=None, retired=True, wake=None, lease_owner=None, lease_until=0.0)
        try:
            self._ports.store.save(retired, [entry], now=now, rollout=ended)
        except ConflictError as error:
            raise LeaseHeldError(f"{state.name} was taken at the same moment") from error

    def is_busy(self, name: str) -> bool:
        """Return whether the endpoint is being changed and could not be deleted now."""
        return self._ports.endpoints.describe(name).status in BUSY


def _without(state: State, resource: str) -> tuple[str, ...]:
    return tuple(owner for owner in state.owners if owner != resource)


def _wanted(state: State, fleet: Fleet) -> tuple[State, Entry]:
    wanted = replace(state, desired_fleet=fleet, failed_fleet=None, shortfall=None)
    changes = wanted.fleet_changes
    if changes:
        waits = f" after that of {state.rollout.version}" if state.rollout else ""
        text = f"The fleet was declared anew ({', '.join(changes)}): {state.live.version} is rolled out onto it{waits}."
    else:
        text = "The fleet was declared anew; the live version runs on it already, and autoscaling keeps its bounds."
    return wanted, Entry("fleet", text)
