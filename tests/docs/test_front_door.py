"""The page on the front door says what it does."""

import re
import shlex
from dataclasses import fields

import pytest

from lambdas.inference import flags, headers, view
from lambdas.inference.adapters import flags as polled
from lambdas.inference.routes import ANSWER_HEADERS, ROUTES
from stacks.config.callers import Client
from stacks.config.front_door import FrontDoor
from stacks.constructs.front_door import front_door
from tests.docs.pages import Page
from tests.docs.settings import told
from tidegate import cli

PAGE = Page("front-door.md")
MUST = "must be given"


def _as_shown(found: dict[str, list[str]]) -> dict[str, list[str]]:
    days = "('MON', 'TUE', 'WED', 'THU', 'FRI')"
    shown = {"": MUST, days: "MON to FRI"}
    return {name: [_default(values[0], shown), *values[1:]] for name, values in found.items()}


def _default(value: str, shown: dict[str, str]) -> str:
    return MUST if "MISSING" in value else shown.get(value, value)


def test_every_setting_is_in_the_table_with_default_and_bounds() -> None:
    assert {row[0]: row[1:4] for row in PAGE.rows("field")} == _as_shown(told(FrontDoor))
    assert {row[0]: row[1:4] for row in PAGE.rows("field of a client")} == _as_shown(told(Client))


def test_every_route_and_header_is_told() -> None:
    assert all(f"`{route.method} {route.path}`" in PAGE.flat for route in ROUTES)
    told_of = {*PAGE.names("header of an answer"), *PAGE.names("header of a request")}
    assert {headers.PREDICTION_ID, headers.MODEL_VERSION, headers.VARIANT, headers.ANSWER} <= told_of
    assert {headers.CALLER, headers.SUBJECT, headers.TARGET, headers.IDEMPOTENCY} <= told_of
    assert told_of <= {*ANSWER_HEADERS, headers.CALLER, headers.SUBJECT, headers.TARGET, headers.IDEMPOTENCY}


def test_every_switch_is_told() -> None:
    for name in (each.name.replace("_", "-") for each in fields(flags.Switches)):
        assert f"`{name}`" in PAGE.flat


def test_the_times_are_the_codes() -> None:
    assert view.ROUTED_SECONDS == 5
    assert "seen within five seconds" in PAGE.flat
    assert polled.POLL_SECONDS == 15
    assert "within 15 seconds" in PAGE.flat
    assert front_door._TRUSTED_SECONDS == 300
    assert "kept for five minutes" in PAGE.flat


@pytest.mark.parametrize("command", PAGE.commands())
def test_every_command_is_one(command: str) -> None:
    cli.build_parser().parse_args(shlex.split(command))


def test_the_table_of_ways_to_call_has_them_all() -> None:
    assert set(PAGE.names("`auth`")) == {"api_key", "jwt", "iam"}
    assert not re.search(r"\bTODO\b", PAGE.text)
