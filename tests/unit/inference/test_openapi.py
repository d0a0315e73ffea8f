"""The front door's description: true to its routes, to its problems and to the model."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from lambdas.inference import headers, openapi, routes
from lambdas.inference.openapi import document, main, signature_in
from lambdas.inference.problems import CONTENT_TYPE, KINDS, Problem
from lambdas.inference.routes import ROUTES, Route
from lambdas.inference.signature import Signature
from lambdas.inference.yaml_text import written

ROOT = Path(__file__).parents[3]
RAIN = ROOT / "model_containers" / "bootstrap" / "rain" / "model.tar.gz"
DOCUMENT = document(signature_in(RAIN))


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][route.path][route.method.lower()]
    return found


def schema(reference: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that can stand alone."""
    return reference | {"components": DOCUMENT["components"]}


def test_the_committed_description_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(RAIN)]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "openapi.yaml").read_text(), "run: make docs"


@pytest.mark.parametrize("described", [DOCUMENT, document(), document(auth=("jwt",))], ids=["rain", "any", "jwt"])
def test_it_is_an_openapi_document(described: dict[str, Any]) -> None:
    validate(described)


def test_it_is_described_for_one_kind_of_callers_too() -> None:
    described = document(auth=("api_key",))

    assert described["security"] == [{"api_key": []}]
    assert described["components"]["securitySchemes"].keys() == {"api_key"}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_every_answer_of_a_route_is_described(route: Route) -> None:
    answers = operation(route)["responses"]
    problems = {*route.problems, *routes.GATEWAY}

    statuses = {route.answer.status, *(KINDS[slug][0] for slug in problems), *routes.UNDESIGNED}
    assert answers.keys() == {*map(str, statuses), "502", "504"}
    for slug in problems:
        content = answers[str(KINDS[slug][0])]["content"]
        assert content.keys() == {CONTENT_TYPE}
        document = Problem(slug, "what is wrong", errors=[{"row": 1, "detail": "this"}]).document("p-1")
        jsonschema.validate(document, schema(content[CONTENT_TYPE]["schema"]))
    assert answers[str(route.answer.status)].get("headers", {}).keys() == set(route.answer.headers)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_a_problem_of_another_kind_does_not_fit(route: Route) -> None:
    answer = operation(route)["responses"]["401"]["content"][CONTENT_TYPE]["schema"]

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(Problem("timeout", "late").document(), schema(answer))


@pytest.mark.parametrize("status", [500, 502, 504])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_what_api_gateway_says_of_a_function_that_failed_is_described(route: Route, status: int) -> None:
    answer = operation(route)["responses"][str(status)]
    refusal = Problem("internal", "Something is wrong.").document() | {"instance": "urn:tidegate:request:a-1"}
    del refusal["status"]  # one response stands for three statuses

    jsonschema.validate(refusal, schema(answer["content"][CONTENT_TYPE]["schema"]))
    assert "Retry-After" in answer["headers"]


@pytest.mark.parametrize("signature", [None, signature_in(RAIN)], ids=["any", "rain"])
def test_the_most_rows_are_described_where_they_are_known(signature: Signature | None) -> None:
    described = [document(signature, most_rows=rows)["components"]["schemas"]["Instances"] for rows in (None, 7)]

    assert [each["properties"]["instances"].get("maxItems") for each in described] == [None, 7]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation)
def test_a_route_names_what_it_reads(route: Route) -> None:
    parameters = {(each["in"], each["name"]): each for each in operation(route).get("parameters", [])}

    assert {name for place, name in parameters if place == "header"} == set(route.headers)
    assert {name for place, name in parameters if place == "path"} == set(re.findall(r"{(\w+)}", route.path))
    assert ("requestBody" in operation(route)) == route.has_body


def test_every_problem_that_there_is_is_answered_by_a_route_or_by_api_gateway() -> None:
    answered = {slug for route in ROUTES for slug in (*route.problems, *routes.GATEWAY)}

    assert answered == KINDS.keys() - {"method-not-allowed"}


def test_every_header_is_described() -> None:
    assert set(routes.REQUEST_HEADERS) == {name for route in ROUTES for name in route.headers}
    of_problems = {"Retry-After", headers.MODEL_STATUS}
    assert set(routes.ANSWER_HEADERS) == {name for route in ROUTES for name in route.answer.headers} | of_problems


@pytest.mark.parametrize(("value", "is_taken"), [("a b", True), ("", False), (" a", False), ("ä", False)])
def test_a_header_is_described_as_it_is_read(value: str, is_taken: bool) -> None:
    described = next(each for each in operation(ROUTES[0])["parameters"] if each["name"] == headers.CALLER)

    assert jsonschema.Draft202012Validator(described["schema"]).is_valid(value) == is_taken


def test_the_body_is_what_the_model_takes() -> None:
    body = operation(ROUTES[0])["requestBody"]["content"]["application/json"]["schema"]
    validator = jsonschema.Draft202012Validator(schema(body))

    assert validator.is_valid({"instances": [[33.6, 28.7, 1023.8, 5.3, 5.7, 10.1, 34, 32]]})
    assert not validator.is_valid({"instances": [[999, 28.7, 1023.8, 5.3, 5.7, 10.1, 34, 32]]})
    assert not validator.is_valid({"instances": [[1]]})


def test_the_answer_is_what_the_model_gives() -> None:
    answer = operation(ROUTES[0])["responses"]["200"]["content"]["application/json"]["schema"]
    validator = jsonschema.Draft202012Validator(schema(answer))

    assert validator.is_valid({"predictions": [{"probability": 0.25, "rain": 1}]})
    assert not validator.is_valid({"predictions": [{"probability": 0.25}]})


def test_no_two_operations_are_named_alike() -> None:
    assert len({route.operation for route in ROUTES}) == len(ROUTES)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_an_archive_without_a_signature_is_named(tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(tmp_path / "model.tar.gz", "w:gz"):
        pass
    with pytest.raises(KeyError, match=openapi.SIGNATURE_FILE):
        signature_in(tmp_path / "model.tar.gz")


def test_any_model_is_described_without_an_archive(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == document()


def test_a_model_of_tensors_is_described() -> None:
    model = Signature.from_document({"schema": 1, "tensor": "image", "row_shape": [2, 2]})

    validate(document(model))


ODD = ["yes", "No", "~", "1", "1e3", "0x1", "2020-01-01", "a: b", "- a", "#", "a #b", "y", "", "\U0001f327"]
TEXTS = st.text(max_size=40) | st.sampled_from(ODD)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(TEXTS, VALUES, min_size=1))
def test_yaml_is_read_as_what_was_written(value: dict[str, Any]) -> None:
    found = yaml.safe_load(written(value))

    assert json.dumps(found, ensure_ascii=False) == json.dumps(value, ensure_ascii=False)


def test_the_description_needs_nothing_that_is_not_shipped() -> None:
    assert "yaml" not in vars(sys.modules["lambdas.inference.openapi"])
