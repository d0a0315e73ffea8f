"""Editors are told what the reader would say."""

import json

import jsonschema
import pytest
import yaml

from stacks.config import ENVIRONMENTS, environment_names
from stacks.config.schema import SCHEMA_FILE, environment_schema, rendered


def body(name="dev"):
    return yaml.safe_load((ENVIRONMENTS / f"{name}.yaml").read_text())


def test_committed_schema_is_current():
    assert SCHEMA_FILE.read_text() == rendered(), "run `python -m stacks.config.schema`"


@pytest.mark.parametrize("name", environment_names())
def test_every_environment_satisfies_the_schema(name):
    jsonschema.Draft7Validator(environment_schema()).validate(body(name))
    assert (ENVIRONMENTS / f"{name}.yaml").read_text().startswith("# yaml-language-server: $schema=schema.json\n")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instance_type", "ml.x9.large"),
        ("instance_type", "ml.m5.3xlarge"),
        ("min_instances", 0),
        ("capture", "yes"),
        ("instance_typ", "ml.g5.xlarge"),
    ],
)
def test_schema_refuses_what_the_reader_refuses(field, value):
    wrong = body()
    wrong["endpoints"][0]["fleet"][field] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, environment_schema())


def fields(schema):
    """Yield the name and the schema of every field, also of those that may be left out."""
    for name, inner in schema.get("properties", {}).items():
        yield name, inner
    for inner in (*schema.get("properties", {}).values(), schema.get("items", {}), *schema.get("anyOf", ())):
        if inner:
            yield from fields(inner)


def test_every_field_says_what_it_means():
    named = list(fields(json.loads(SCHEMA_FILE.read_text())))
    assert {"instance_type", "traffic_percent", "timeout_seconds", "days"} <= {name for name, _ in named}
    assert "SageMaker instance type." in {field["description"] for name, field in named if name == "instance_type"}
    assert all(field["description"] for _, field in named)


def choices(field):
    return next(inner["enum"] for inner in (field, *field.get("anyOf", ()), field.get("items", {})) if "enum" in inner)


def offered(name):
    """Return the choices of every field of a name: rollouts and front doors have days of their own."""
    return [set(choices(field)) for known, field in fields(environment_schema()) if known == name]


@pytest.mark.parametrize(
    ("name", "some"),
    [
        ("strategy", {"canary", "linear", "blue-green", "all-at-once", "shadow", "ab-test"}),
        ("then", {"canary", "ab-test"}),
        ("capacity", {"full", "share"}),
        ("newer_version", {"queue", "restart"}),
        ("winner", {"error-rate", "latency", "evidence", "manual"}),
        ("inconclusive", {"ask", "extend", "raise"}),
        ("days", {"mon", "sun"}),
        ("days", {"MON", "SUN"}),
        ("auth", {"api_key", "iam", "jwt"}),
    ],
)
def test_editors_offer_the_choices(name, some):
    assert any(some <= found for found in offered(name))
