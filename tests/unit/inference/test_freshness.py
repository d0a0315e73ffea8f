"""That what an instance keeps grows old while Lambda has frozen it, however its monotonic clock behaves meanwhile."""

import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.inference.adapters.flags import POLL_SECONDS
from lambdas.inference.handlers import wiring
from lambdas.inference.handlers.freshness import FreshnessClock
from lambdas.inference.predicting import Predictor
from lambdas.inference.settings import Flags
from lambdas.inference.view import FRESH_SECONDS

fakes: Any = sys.modules["inference_serving_fakes"]
NIGHT = 8 * 3600.0


class AppConfig:
    """Flags that operators change."""

    def __init__(self) -> None:
        self.off = ""

    def start_configuration_session(self, **request: Any) -> dict[str, str]:
        return {"InitialConfigurationToken": "first"}

    def get_latest_configuration(self, **request: Any) -> dict[str, Any]:
        said = json.dumps({self.off: {"enabled": False}} if self.off else {})
        return {"NextPollConfigurationToken": "next", "Configuration": io.BytesIO(said.encode())}


@pytest.fixture
def appconfig() -> AppConfig:
    return AppConfig()


@pytest.fixture
def make_wired(monkeypatch: pytest.MonkeyPatch, make_door: Any, appconfig: AppConfig) -> Callable[..., Any]:
    """Return a maker of front doors whose clocks are those that functions are given, on an instance that is frozen."""

    def make(**changes: Any) -> Any:
        door = make_door(flags=Flags("app", "env", "flags"), **changes)
        monkeypatch.setattr(wiring, "time", SimpleNamespace(time=door.clock, monotonic=door.still))
        monkeypatch.setattr(wiring, "RecordedRoute", lambda endpoint, dynamodb: door._read_route)
        monkeypatch.setattr(wiring, "quick_appconfig", lambda: lambda: appconfig)
        wired = wiring.real_ports(door.settings, None, door.log)
        clocks = {"clock": wired.clock, "freshness_clock": wired.freshness_clock}
        door.ports = replace(door.ports, views=wired.views, flags=wired.flags, **clocks)
        door.predictor = Predictor(door.settings, door.ports)
        return door

    return make


def test_a_version_that_was_promoted_meanwhile_answers(make_wired: Callable[..., Any]) -> None:
    door = make_wired()
    assert door.said() == ("v1", "model")
    door.clock.time += FRESH_SECONDS
    door.runtime.hosted, door.runtime.weighted = {"green": "v2"}, "green"
    door.route = fakes.route(("green", "v2"))
    assert door.said() == ("v2", "model")


def test_nobody_is_sent_to_a_candidate_that_was_aborted_meanwhile(make_wired: Callable[..., Any]) -> None:
    door = make_wired(sticky=True, cache=None)
    door.runtime.hosted["green"] = "v2"
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 100)
    assert door.said(caller="ann") == ("v2", "model")
    door.clock.time += FRESH_SECONDS
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 0)
    assert door.said(caller="ann") == ("v1", "model")


def test_a_slot_that_was_used_again_meanwhile_names_its_new_version(make_wired: Callable[..., Any]) -> None:
    door = make_wired()
    door.predict()
    door.clock.time += NIGHT
    door.runtime.hosted = {"blue": "v3"}
    door.route = fakes.route(("blue", "v3"))
    assert door.predict([[7.0, 7.0]]).served.version == "v3"
    assert {item["version"] for item in door.table.items.values()} == {"v1", "v3"}
    assert door.said([[7.0, 7.0]]) == ("v3", "cache")


def test_a_view_that_cannot_be_read_after_a_night_names_nobody(make_wired: Callable[..., Any]) -> None:
    door = make_wired()
    door.predict()
    door.clock.time += NIGHT
    door.route = OSError("away")
    assert door.predict().served is None


def test_what_was_switched_off_meanwhile_is_off(make_wired: Callable[..., Any], appconfig: AppConfig) -> None:
    door = make_wired()
    door.predict()
    door.clock.time += POLL_SECONDS
    appconfig.off = "cache"
    assert door.said() == ("v1", "model")
    assert door.said() == ("v1", "model")


def test_a_breaker_is_open_no_longer_than_it_says(make_wired: Callable[..., Any]) -> None:
    door = make_wired(cache=None)
    door.runtime.errors = [fakes.away()] * 3
    for number in range(3):
        door.problem([[number, 0]])
    assert "left alone" in door.problem().detail
    door.clock.time += door.settings.breaker.open_seconds
    assert door.said() == ("v1", "model")


def test_a_wall_clock_that_is_set_back_keeps_nothing_fresh(make_wired: Callable[..., Any]) -> None:
    door = make_wired(cache=None)
    door.predict()
    door.clock.time -= NIGHT
    door.still.time += FRESH_SECONDS
    door.runtime.hosted = {"blue": "v3"}
    door.route = fakes.route(("blue", "v3"))
    assert door.predict().served.version == "v3"


def test_a_request_takes_as_long_as_the_monotonic_clock_says(make_wired: Callable[..., Any]) -> None:
    door = make_wired()
    door.runtime.invoke = _set_back(door, door.runtime.invoke)
    door.predict()
    assert door.log.records[-1]["latency_ms"] == 250.0


def _set_back(door: Any, invoke: Callable[..., Any]) -> Callable[..., Any]:
    def invoked(*args: Any) -> Any:
        door.still.time += 0.25
        door.clock.time -= NIGHT
        return invoke(*args)

    return invoked


PASSING = st.lists(st.tuples(st.integers(-100, 100), st.integers(0, 100)), max_size=30)


@given(PASSING)
def test_no_less_time_passes_than_on_either_clock(passing: list[tuple[int, int]]) -> None:
    wall, still = fakes.Clock(), fakes.Clock()
    clock = FreshnessClock(wall, still)
    seen = [(clock(), wall.time, still.time)]
    for of_wall, of_still in passing:
        wall.time += of_wall
        still.time += of_still
        seen.append((clock(), wall.time, still.time))
    for place, earlier in enumerate(seen):
        for later in seen[place:]:
            fresh, by_wall, by_still = (now - then for now, then in zip(later, earlier, strict=True))
            assert fresh >= max(by_wall, by_still)
            assert fresh >= 0


@given(st.lists(st.integers(0, 100), max_size=30))
def test_no_more_time_passes_where_the_clocks_agree(passing: list[int]) -> None:
    wall, still = fakes.Clock(), fakes.Clock()
    clock = FreshnessClock(wall, still)
    for seconds in passing:
        wall.time += seconds
        still.time += seconds
        clock()
    assert clock() == sum(passing)
