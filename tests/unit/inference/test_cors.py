"""Only pages of the origins in the settings may read answers."""

from dataclasses import replace

import pytest

from lambdas.inference.cors import shown_to_pages
from lambdas.inference.settings import FrontDoor

PAGE = "https://shop.example.com"
CLOSED = FrontDoor(endpoint="rain-dev", auth="api_key", clients={})
OPEN = replace(CLOSED, cors_origins=frozenset({PAGE}))


def asked_by(origin: str | None, settings: FrontDoor) -> dict[str, str]:
    event = {"multiValueHeaders": {"origin": [origin]} if origin else {}}
    return shown_to_pages(event, settings)


def test_a_page_of_an_origin_that_may_call_may_read_the_answer_and_its_headers() -> None:
    shown = asked_by(PAGE, OPEN)
    assert shown["Access-Control-Allow-Origin"] == PAGE
    assert "Tidegate-Model-Version" in shown["Access-Control-Expose-Headers"]
    assert shown["Vary"] == "Origin"


@pytest.mark.parametrize("origin", [None, "https://shop.example.com.evil.example", "null", "http://shop.example.com"])
def test_any_other_may_not_and_no_cache_gives_it_the_answer(origin: str | None) -> None:
    assert asked_by(origin, OPEN) == {"Vary": "Origin"}


def test_nothing_is_said_where_no_page_may_call() -> None:
    assert asked_by(PAGE, CLOSED) == {}
