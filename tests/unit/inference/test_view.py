"""How long what is known of an endpoint's versions is good for."""

from typing import Any

import pytest

from lambdas.inference.view import FRESH_SECONDS, KEPT_SECONDS, Served, Views


@pytest.fixture
def world(make_door: Any) -> Any:
    return make_door()


def test_a_view_names_the_versions_of_both_slots(world: Any) -> None:
    world.route = {
        "live": {"slot": "blue", "version": "1", "key": "k1", "cache": "k1@a"},
        "candidate": {"slot": "green", "version": "2", "key": "k2", "cache": "k2@b"},
        "percent": 10,
    }
    view = world.ports.views.latest()
    assert view.named("blue") == Served("blue", "1", "k1", "k1@a")
    assert view.named("green") == Served("green", "2", "k2", "k2@b")
    assert view.named("red") is None
    assert view.shares(world.fresh())


def test_what_was_written_without_a_config_is_kept_under_the_key(world: Any) -> None:
    world.route = {"live": {"slot": "blue", "version": "1", "key": "k1"}, "candidate": None, "percent": 0}
    assert world.ports.views.latest().live == Served("blue", "1", "k1", "k1")


def test_it_is_read_again_only_when_it_is_old(world: Any) -> None:
    for _ in range(5):
        world.ports.views.latest()
    assert world.views_read == 1
    world.clock.time += FRESH_SECONDS
    world.ports.views.latest()
    assert world.views_read == 2


def test_the_last_one_holds_for_a_while_when_the_table_is_away(world: Any) -> None:
    known = world.ports.views.latest()
    world.route = OSError("away")
    world.clock.time += KEPT_SECONDS
    assert world.ports.views.latest() == known
    world.clock.time += 1
    assert world.ports.views.latest() is None
    assert "OSError: away" in world.log.warnings[0]


def test_a_table_that_is_away_is_not_asked_by_every_request(world: Any) -> None:
    world.route = OSError("away")
    for _ in range(5):
        assert world.ports.views.latest() is None
    assert world.views_read == 1


@pytest.mark.parametrize("route", [{}, {"live": None}, {"live": {"slot": "blue"}}, {"live": "blue", "percent": 1}])
def test_what_cannot_be_read_is_not_known(world: Any, route: Any) -> None:
    world.route = route
    assert world.ports.views.latest() is None
    assert world.log.warnings


def test_an_endpoint_whose_engine_writes_no_route_has_no_view(world: Any) -> None:
    world.ports.views.latest()
    world.route = None
    world.clock.time += FRESH_SECONDS
    assert world.ports.views.latest() is None
    assert world.log.warnings == []


def test_age_counts_from_when_it_was_asked_for() -> None:
    now = [0.0]

    def slow() -> Any:
        now[0] += 5
        return {"live": {"slot": "blue", "version": "1", "key": "k"}, "candidate": None, "percent": 0}

    view = Views(slow, lambda: now[0], lambda text: None).latest()
    assert view is not None
    assert view.read_at == 0
