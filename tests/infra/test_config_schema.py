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
    [("instance_type", "ml.x9.large"), ("min_instances", 0), ("capture", "yes"), ("instance_typ", "ml.g5.xlarge")],
)
def test_schema_refuses_what_the_reader_refuses(field, value):
    wrong = body()
    wrong["endpoints"][0]["fleet"][field] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, environment_schema())


def test_every_field_says_what_it_means():
    def fields(schema):
        for name, inner in schema.get("properties", {}).items():
            yield name, inner
            yield from fields(inner)
            yield from fields(inner.get("items", {}))

    named = dict(fields(json.loads(SCHEMA_FILE.read_text())))
    assert named["instance_type"]["description"] == "SageMaker instance type."
    assert all(field["description"] for field in named.values())
