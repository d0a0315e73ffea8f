"""A prediction: where its answer comes from, and what is said when there is none."""

import json
from typing import Any

import pytest

from lambdas.inference.settings import FrontDoor, Segment
from lambdas.inference.view import FRESH_SECONDS, ROUTED_SECONDS


@pytest.fixture
def fakes() -> Any:
    import sys

    return sys.modules["inference_serving_fakes"]


def test_the_model_answers_and_is_named(door: Any) -> None:
    answered = door.predict()
    assert json.loads(answered.body) == {"predictions": [{"by": "v1"}]}
    assert (answered.source, answered.served.version, answered.variant) == ("model", "v1", "blue")
    assert door.runtime.asked == [None]
    assert door.runtime.ids == ["id-1"]


def test_records_go_to_the_model_as_rows(door: Any) -> None:
    door.predict([{"wind": 2, "dew": 1}])
    assert door.runtime.bodies == [{"instances": [[1.0, 2.0]]}]


ORDERS = [
    (("dew", "wind"), [[1.0, 2.0], [3.0, 4.0]]),
    (("wind", "dew"), [{"dew": 1.0, "wind": 2.0}, {"dew": 3.0, "wind": 4.0}]),
    (("dew",), [{"dew": 1.0, "wind": 2.0}, {"dew": 3.0, "wind": 4.0}]),
    (None, [{"wind": 2, "dew": 1}, [3, 4]]),
]


@pytest.mark.parametrize(("names", "sent"), ORDERS)
def test_rows_go_as_each_version_takes_them_that_may_answer(
    door: Any, fakes: Any, names: tuple[str, ...] | None, sent: Any
) -> None:
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 10)
    door.signatures.others["arn:v2"] = names and fakes.signature(*names)
    door.predict([{"wind": 2, "dew": 1}, [3, 4]])
    assert door.runtime.bodies == [{"instances": sent}]


def test_rows_go_as_that_version_takes_them_which_has_come_meanwhile(make_door: Any, fakes: Any) -> None:
    door = make_door(segments=(Segment("caller", frozenset({"ann"}), "live"),))
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 10)
    door.predict()
    door.runtime.hosted, door.runtime.weighted = {"green": "v3"}, "green"
    door.route = fakes.route(("green", "v3"))
    door.signatures.others["arn:v3"] = fakes.signature("wind", "dew")
    door.predict([[3, 4]], caller="ann")
    assert door.runtime.bodies[-1] == {"instances": [{"dew": 3.0, "wind": 4.0}]}


def test_what_the_model_does_not_take_is_refused_here(door: Any) -> None:
    problem = door.problem([[1, 2], [1, 1000]])
    assert problem.slug == "invalid-input"
    assert problem.errors[0]["row"] == 2
    assert problem.errors[0]["column"] == "wind"
    assert door.runtime.asked == []


def test_what_is_not_known_here_is_left_to_the_model(door: Any) -> None:
    door.signatures.known = None
    door.predict([["whatever", 1]])
    assert door.runtime.bodies == [{"instances": [["whatever", 1]]}]


# Answers that are given again.


def test_the_same_input_gets_the_same_answer_without_the_model(door: Any) -> None:
    assert door.said([[1, 2]]) == ("v1", "model")
    assert door.said([{"dew": 1.0, "wind": 2.0}]) == ("v1", "cache")
    assert door.said([[1, 3]]) == ("v1", "model")
    door.clock.time += 61
    assert door.said([[1, 2]]) == ("v1", "model")


def test_an_answer_is_fresh_for_so_many_seconds_and_not_at_the_last_of_them(door: Any) -> None:
    door.predict()
    door.clock.time += 59
    assert door.said() == ("v1", "cache")
    door.clock.time += 1
    assert door.said() == ("v1", "model")


def test_an_answer_expires_by_its_own_time(door: Any) -> None:
    door.predict()
    [item] = door.table.items.values()
    assert item["at"] == door.clock.time
    assert item["expires"] == int(door.clock.time) + 601


def test_during_a_rollout_only_what_is_certain_is_given_again(door: Any, fakes: Any) -> None:
    door.predict()
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 10)
    door.runtime.hosted["green"] = "v2"
    door.clock.time += FRESH_SECONDS
    assert door.said() == ("v1", "model")
    assert door.said(target="blue") == ("v1", "cache")
    assert door.said(target="green") == ("v2", "model")
    assert door.said(target="green") == ("v2", "cache")


def test_a_candidate_whose_share_is_said_to_be_0_may_answer_all_the_same(door: Any, fakes: Any) -> None:
    door.predict()
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 0)
    door.runtime.hosted["green"], door.runtime.weighted = "v2", "green"
    door.clock.time += FRESH_SECONDS
    assert door.said() == ("v2", "model")


@pytest.mark.parametrize("cache", [None, "off"])
def test_without_a_cache_the_model_is_asked_each_time(make_door: Any, cache: str | None) -> None:
    door = make_door() if cache else make_door(cache=None)
    door.flags.off("cache")
    assert [door.said()[1] for _ in range(2)] == ["model"] * 2
    assert door.table.items == {}


def test_a_table_that_is_away_costs_nothing_but_the_cache(door: Any) -> None:
    door.table.away = True
    assert door.said() == ("v1", "model")
    assert "could not be read" in door.log.warnings[0]
    assert "could not be kept" in door.log.warnings[1]


def test_an_item_under_the_wrong_key_is_not_believed(door: Any) -> None:
    door.predict()
    [item] = door.table.items.values()
    item["key"] = "arn:v0"
    assert door.said() == ("v1", "model")


def test_no_answer_is_given_again_by_the_same_model_in_another_container(door: Any) -> None:
    door.predict()
    door.route["live"] = {**door.route["live"], "cache": "arn:v1@another-config"}
    door.clock.time += FRESH_SECONDS
    assert door.said() == ("v1", "model")
    assert door.said() == ("v1", "cache")


def test_an_answer_that_is_too_large_is_not_kept(door: Any) -> None:
    door.predict([[1, 2]] * 30_000)
    assert door.table.items == {}


# When the model does not answer.


def test_an_old_answer_is_better_than_none_and_says_so(door: Any, fakes: Any) -> None:
    door.predict()
    door.clock.time += 599
    door.runtime.errors = [fakes.away()]
    answered = door.predict()
    assert (answered.source, answered.served.version, answered.variant) == ("stale", "v1", "blue")
    door.clock.time += 2
    door.runtime.errors = [fakes.away()]
    assert door.problem().slug == "unavailable"


def test_during_a_rollout_the_live_versions_old_answer_stands_in(door: Any, fakes: Any) -> None:
    door.predict()
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 10)
    door.clock.time += FRESH_SECONDS
    door.runtime.errors = [fakes.away()]
    assert door.said() == ("v1", "stale")


def test_no_other_versions_old_answer_stands_in_for_the_variant_that_a_tester_asks_for(door: Any, fakes: Any) -> None:
    door.predict()
    door.runtime.errors = [fakes.away()]
    assert door.problem(target="green").slug == "unavailable"


def test_the_default_answer_comes_last(make_door: Any, fakes: Any) -> None:
    door = make_door(default_answer={"by": "nobody"})
    door.runtime.errors = [fakes.away()]
    answered = door.predict([[1, 2], [3, 4]])
    assert json.loads(answered.body) == {"predictions": [{"by": "nobody"}] * 2}
    assert (answered.source, answered.served, answered.variant) == ("default", None, "")
    door.predict()
    door.clock.time += 100
    door.runtime.errors = [fakes.away()]
    assert door.said() == ("v1", "stale")


def test_nothing_stands_in_for_an_answer_that_the_caller_is_at_fault_for(make_door: Any, fakes: Any) -> None:
    door = make_door(default_answer={"by": "nobody"})
    door.predict()
    door.clock.time += 100
    door.runtime.errors = [fakes.refused()]
    assert door.problem().slug == "invalid-input"


def test_switched_off_the_cache_stands_in_for_nothing(door: Any, fakes: Any) -> None:
    door.predict()
    door.flags.off("cache")
    door.runtime.errors = [fakes.away()]
    assert door.problem().slug == "unavailable"


def test_an_endpoint_that_fails_in_a_row_is_left_alone(door: Any, fakes: Any) -> None:
    door.runtime.errors = [fakes.away()] * 3
    for number in range(3):
        assert door.problem([[number, 0]]).detail == "it is away"
    problem = door.problem([[4, 0]])
    assert problem.status == 503
    assert problem.headers == {"Retry-After": "10"}
    assert len(door.runtime.asked) == 3
    door.clock.time += 10
    assert door.said() == ("v1", "model")


@pytest.mark.parametrize("target", [None, "green"])
def test_a_candidate_that_fails_does_not_keep_callers_from_the_live_version(
    door: Any, fakes: Any, target: str | None
) -> None:
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 50)
    door.runtime.hosted["green"] = "v2"
    door.runtime.errors = [fakes.failed("" if target else "green")] * 10
    for number in range(10):
        assert door.problem([[number, 0]], target=target).slug == "model-failed"
    assert door.said(target="blue") == ("v1", "model")


def test_a_live_version_that_fails_during_a_rollout_is_left_alone(door: Any, fakes: Any) -> None:
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 50)
    door.runtime.errors = [fakes.failed("blue")] * 3
    for number in range(3):
        assert door.problem([[number, 0]]).slug == "model-failed"
    assert door.problem([[4, 0]]).slug == "unavailable"


def test_rows_that_a_model_fails_on_keep_no_other_client_away(door: Any, fakes: Any) -> None:
    door.runtime.errors = [fakes.failed("blue")] * 3
    for number in range(3):
        assert door.problem([[number, 0]], client="lab").slug == "model-failed"
    assert door.problem([[4, 0]], client="lab").slug == "unavailable"
    assert door.said([[5, 0]]) == ("v1", "model")
    door.clock.time += 10
    assert door.said([[6, 0]], client="lab") == ("v1", "model")


def test_the_same_rows_again_and_again_do_not_cost_a_client_its_other_requests(door: Any, fakes: Any) -> None:
    door.runtime.errors = [fakes.failed("blue")] * 10
    for _ in range(10):
        assert door.problem([[1, 0]]).slug == "model-failed"
    assert door.said([[2, 0]]) == ("v1", "model")


@pytest.mark.parametrize("percent", [0, 50])
def test_a_candidate_that_hangs_does_not_keep_callers_from_the_live_version(
    door: Any, fakes: Any, percent: int
) -> None:
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), percent)
    door.runtime.errors = [fakes.away()] * 10
    for number in range(10):
        assert door.problem([[number, 0]]).detail == "it is away"
    assert door.said() == ("v1", "model")


def test_a_live_version_that_hangs_is_left_alone_where_it_was_asked_for(door: Any, fakes: Any) -> None:
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 50)
    door.runtime.errors = [fakes.away()] * 3
    for number in range(3):
        assert door.problem([[number, 0]], target="blue").detail == "it is away"
    assert door.problem([[4, 0]]).status == 503
    assert len(door.runtime.asked) == 3


def test_callers_mistakes_do_not_keep_others_away(door: Any, fakes: Any) -> None:
    door.runtime.errors = [fakes.refused()] * 10
    for number in range(10):
        assert door.problem([[number, 0]]).slug == "invalid-input"
    assert door.said() == ("v1", "model")


# Versions that come and go.


def test_a_rule_that_is_behind_is_followed_no_further(make_door: Any, fakes: Any) -> None:
    door = make_door(segments=(Segment("caller", frozenset({"ann"}), "candidate"),))
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 10)
    door.runtime.hosted["green"] = "v2"
    assert door.said(caller="ann") == ("v2", "model")
    del door.runtime.hosted["green"]
    door.route = fakes.route(("blue", "v1"))
    assert door.said([[7, 7]], caller="ann") == ("v1", "model")
    assert door.runtime.asked == ["green", "green", None]
    assert door.said([[8, 8]], caller="ann") == ("v1", "model")
    assert door.runtime.asked[-1] is None


def test_a_rule_is_not_followed_by_what_was_read_a_while_ago(make_door: Any, fakes: Any) -> None:
    door = make_door(segments=(Segment("caller", frozenset({"ann"}), "candidate"),))
    door.route = fakes.route(("blue", "v1"), ("green", "v2"), 10)
    door.runtime.hosted["green"] = "v2"
    assert door.said(caller="ann") == ("v2", "model")
    door.route = OSError("away")
    door.clock.time += ROUTED_SECONDS + 0.1
    answered = door.predict([[7, 7]], caller="ann")
    assert door.runtime.asked == ["green", None]
    assert answered.served.version == "v1"


def test_a_tester_is_told_that_there_is_no_such_variant(door: Any) -> None:
    problem = door.problem(target="green")
    assert problem.slug == "not-found"
    assert "rain-local has no variant green" in problem.detail
    assert door.runtime.asked == ["green"]


def test_an_answer_of_a_slot_that_nobody_can_name_is_not_kept(door: Any) -> None:
    door.runtime.hosted, door.runtime.weighted = {"green": "v2"}, "green"
    answered = door.predict()
    assert (answered.served, answered.variant) == (None, "green")
    assert door.table.items == {}


def test_without_a_view_predictions_go_on(door: Any) -> None:
    door.route = OSError("away")
    assert door.said() == ("v1", "model")
    assert door.table.reads == 0


def test_a_front_door_can_be_closed(door: Any) -> None:
    door.flags.off("front_door")
    problem = door.problem()
    assert (problem.slug, problem.headers) == ("unavailable", {"Retry-After": "30"})
    assert door.runtime.asked == []


# What is said of what the model takes.


def test_the_schema_is_the_live_versions(door: Any) -> None:
    schema = door.predictor.schema()
    assert schema["required"] == ["instances"]
    assert schema["properties"]["instances"]["maxItems"] == FrontDoor.most_rows
    assert door.signatures.asked == ["arn:v1"]


def test_a_schema_that_is_not_known_is_not_made_up(door: Any) -> None:
    door.signatures.known = None
    with pytest.raises(Exception, match="is not known"):
        door.predictor.schema()


def test_priming_does_what_the_first_request_would_wait_for(door: Any) -> None:
    door.predictor.prime()
    assert door.views_read == 1
    assert door.signatures.asked == ["arn:v1"]
    door.predict()
    assert door.views_read == 1
