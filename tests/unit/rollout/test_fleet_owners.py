"""A fleet's resource that is moved to another logical id, or whose creation is taken back, retires nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.fleet import Fleet
from lambdas.rollout.fleets import Fleets
from lambdas.rollout.handlers import fleet as fleet_handler
from lambdas.rollout.handlers.custom_resource import Request
from lambdas.rollout.state import Phase

Act = Callable[..., str]
STACK = "arn:aws:cloudformation:us-east-1:1:stack/serving/1"


@pytest.fixture
def act(world: Any, fleet: Fleet) -> Act:
    def call(kind: str, identity: str = "", fleet: Fleet = fleet) -> str:
        properties = {"EndpointName": "rain-local", "Fleet": json.dumps(fleet.to_dict())}
        known = None if kind == "Create" else identity
        # On creation CloudFormation knows no physical id yet, and the function makes one of the logical id.
        made = fleet_handler.identity("rain-local", STACK, identity) if kind == "Create" else identity
        request = Request(kind, properties, known, "owner", lambda: 100.0, identity=made)
        return str(fleet_handler.act(request, Fleets(world.ports)).physical_id)

    return call


def test_identity_tells_resources_apart_and_stays_readable() -> None:
    one = fleet_handler.identity("rain-local", STACK, "Fleet")
    assert one == fleet_handler.identity("rain-local", STACK, "Fleet")
    assert one.startswith("fleet-rain-local-")
    others = {fleet_handler.identity("rain-local", STACK, "Moved"), fleet_handler.identity("rain-local", "b", "Fleet")}
    assert len({one, *others}) == 3


def test_resource_that_was_moved_leaves_the_endpoint_in_care(world: Any, act: Act) -> None:
    old = act("Create", "Old")
    world.approve()
    world.until_phase(Phase.BAKE)
    new = act("Create", "New")
    assert act("Delete", old) == old
    assert not world.store.state.retired
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    act("Delete", new)
    assert world.store.state.retired


def test_move_that_is_rolled_back_leaves_the_endpoint_in_care(world: Any, act: Act) -> None:
    old = act("Create", "Old")
    new = act("Create", "New")
    act("Delete", new)
    assert not world.store.state.retired
    act("Delete", old)
    assert world.store.state.retired


def test_deletion_by_a_resource_that_never_was_the_owner_is_logged_and_succeeds(world: Any, act: Act) -> None:
    act("Create", "Fleet")
    assert act("Delete", "fleet-rain-local-stranger") == "fleet-rain-local-stranger"
    assert not world.store.state.retired
    assert any("fleet-rain-local-stranger" in line for line, _ in world.log.lines)


def test_updates_keep_the_one_owner(world: Any, act: Act, fleet: Fleet) -> None:
    own = act("Create", "Fleet")
    for count in (5, 6, 7):
        assert act("Update", own, replace(fleet, max_instances=count)) == own
    assert world.store.state.owners == (own,)
    act("Delete", own)
    assert world.store.state.retired


def test_endpoint_created_again_has_its_new_owner_only(world: Any, act: Act) -> None:
    act("Delete", act("Create", "Old"))
    new = act("Create", "New")
    assert world.store.state.owners == (new,)
    assert not world.store.state.retired
