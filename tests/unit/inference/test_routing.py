"""Which version answers: who decides it, in which order, and that nobody is sent to what has no share."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.inference.assignment import takes_candidate
from lambdas.inference.headers import Asked
from lambdas.inference.identity import Caller
from lambdas.inference.routing import Routed, route
from lambdas.inference.segments import choose
from lambdas.inference.settings import FrontDoor, Segment
from lambdas.inference.view import ROUTED_SECONDS, Served, View

LIVE, CANDIDATE = Served("blue", "1", "arn:1", "arn:1@a"), Served("green", "2", "arn:2", "arn:2@b")
TO_CANDIDATE = Segment("caller", frozenset({"ann", "bob"}), "candidate")
TO_LIVE = Segment("client", frozenset({"bank"}), "live")


def routed(
    percent: float = 50,
    *,
    caller: str | None = "ann",
    client: str = "shop",
    target: str | None = None,
    attributes: dict[str, Any] | None = None,
    view: View | None = None,
    routing: bool = True,
    now: float = 0,
    **settings: Any,
) -> Routed:
    front_door = FrontDoor("rain-local", "iam", {}, **settings)
    who = Caller(client, "arn", attributes=attributes or {}, tester=True)
    seen = view or View(LIVE, CANDIDATE, percent, 0)
    return route(front_door, seen, who, Asked(caller, target=target), now, routing=routing)


def test_sagemaker_chooses_unless_something_else_is_said() -> None:
    assert routed() == Routed(None, None, "weights")


def test_without_a_rollout_it_is_certain_who_answers() -> None:
    assert routed(view=View(LIVE, None, 0, 0), sticky=True) == Routed(None, LIVE, "weights")


def test_a_rule_sends_to_the_version_that_it_names() -> None:
    rules = (TO_LIVE, TO_CANDIDATE)
    assert routed(1, segments=rules) == Routed("green", CANDIDATE, "segment")
    assert routed(99, segments=rules, client="bank") == Routed("blue", LIVE, "segment")
    assert routed(segments=rules, caller="eve") == Routed(None, None, "weights")


def test_a_testers_wish_comes_before_rules_and_these_before_places() -> None:
    everything: dict[str, Any] = {"segments": (TO_CANDIDATE,), "sticky": True}
    assert routed(target="blue", **everything) == Routed("blue", LIVE, "target")
    assert routed(0.001, **everything) == Routed("green", CANDIDATE, "segment")
    assert routed(0.001, caller="eve", **everything) == Routed("blue", LIVE, "sticky")


def test_a_tester_reaches_a_candidate_before_it_has_traffic() -> None:
    assert routed(0, target="green") == Routed("green", CANDIDATE, "target")


def test_a_client_that_names_no_caller_is_split_as_all_are() -> None:
    assert routed(99, caller=None, sticky=True) == Routed(None, None, "weights")


def test_to_rules_a_client_that_names_no_caller_is_the_caller() -> None:
    rule = Segment("caller", frozenset({"shop"}), "candidate")
    assert routed(caller=None, segments=(rule,)) == Routed("green", CANDIDATE, "segment")


@pytest.mark.parametrize("rules", [{"sticky": True}, {"segments": (TO_CANDIDATE,)}])
def test_what_was_read_a_while_ago_decides_nothing(rules: dict[str, Any]) -> None:
    assert routed(99, now=ROUTED_SECONDS, **rules).slot == "green"
    assert routed(99, now=ROUTED_SECONDS + 0.1, **rules) == Routed(None, None, "weights")


def test_a_testers_wish_holds_whatever_was_read() -> None:
    assert routed(target="green", now=59) == Routed("green", CANDIDATE, "target")


def test_switched_off_it_leaves_everything_to_sagemaker() -> None:
    everything: dict[str, Any] = {"segments": (TO_CANDIDATE,), "sticky": True, "target": "green"}
    assert routed(routing=False, **everything) == Routed(None, None, "weights")


def test_nothing_is_decided_by_what_is_not_known() -> None:
    door = FrontDoor("rain-local", "iam", {}, segments=(TO_CANDIDATE,), sticky=True)
    assert route(door, None, Caller("shop", "arn"), Asked("ann"), 0) == Routed(None, None, "weights")


RULES = st.lists(st.sampled_from([TO_CANDIDATE, TO_LIVE]), max_size=3).map(tuple)
CALLERS = st.sampled_from(["ann", "bob", "eve", "customer-1", "customer-7"])


@given(RULES, CALLERS, st.booleans(), st.sampled_from([CANDIDATE, None]))
def test_no_rule_sends_anybody_to_a_version_without_a_share(
    rules: Any, caller: str, sticky: bool, candidate: Served | None
) -> None:
    found = routed(view=View(LIVE, candidate, 0, 0), caller=caller, segments=rules, sticky=sticky)
    assert found.slot is None


@given(CALLERS, st.floats(0.01, 100))
def test_a_caller_keeps_to_the_version_of_its_place(caller: str, percent: float) -> None:
    found = routed(percent, caller=caller, sticky=True)
    assert found.slot == ("green" if takes_candidate("rain-local", caller, percent) else "blue")
    assert found.served is not None
    assert found.served.slot == found.slot


@pytest.mark.parametrize(
    ("attributes", "sent"),
    [
        ({"plan": "gold"}, "candidate"),
        ({"plan": ["tin", "gold"]}, "candidate"),
        ({"plan": "tin"}, None),
        ({"plan": {"gold": 1}}, None),
        ({"plan": [["gold"]]}, None),
        ({}, None),
    ],
)
def test_rules_may_ask_for_what_a_token_says(attributes: dict[str, Any], sent: str | None) -> None:
    assert choose([Segment("plan", frozenset({"gold"}), "candidate")], "shop", "ann", attributes) == sent


def test_no_token_can_say_who_is_authenticated() -> None:
    assert choose([TO_LIVE], "shop", "ann", {"client": "bank"}) is None
