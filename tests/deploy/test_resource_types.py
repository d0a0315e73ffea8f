"""The property lists of the resource types, against the schemas that CloudFormation publishes."""

from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from localcloud.deploy.coercion import coerce
from localcloud.deploy.errors import UnsupportedError
from localcloud.deploy.inert import INERT_PROPERTIES, INERT_TYPES
from localcloud.deploy.names import physical_name
from localcloud.deploy.resource_type import ResourceType
from localcloud.deploy.resources import RESOURCE_TYPES
from localcloud.deploy.testing import service_model

KINDS = pytest.mark.parametrize("kind", RESOURCE_TYPES, ids=lambda kind: kind.name)


def schema(kind: type[ResourceType]) -> Any:
    return PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind.name)


def names(kind: type[ResourceType], key: str) -> set[str]:
    return {path.removeprefix("/properties/") for path in schema(kind).schema.get(key, [])}


@KINDS
def test_handled_properties_exist(kind: type[ResourceType]) -> None:
    assert kind.handled <= set(schema(kind).schema["properties"]) - names(kind, "readOnlyProperties")


@KINDS
def test_inert_properties_exist_are_not_handled_and_have_reasons(kind: type[ResourceType]) -> None:
    inert = INERT_PROPERTIES.get(kind.name, {})
    assert set(inert) <= set(schema(kind).schema["properties"])
    assert not set(inert) & kind.handled
    assert all(len(reason) > 20 for reason in [*inert.values(), *INERT_TYPES.values()])


@KINDS
def test_what_makes_a_new_resource_is_what_the_schema_says(kind: type[ResourceType]) -> None:
    always = names(kind, "createOnlyProperties") & kind.handled
    sometimes = names(kind, "conditionalCreateOnlyProperties") & kind.handled
    assert always <= kind.replaced_by <= always | sometimes


@KINDS
def test_required_properties_are_what_the_schema_says(kind: type[ResourceType]) -> None:
    assert kind.required == set(schema(kind).schema.get("required", []))


@KINDS
def test_attributes_exist(kind: type[ResourceType]) -> None:
    assert kind.attributes <= set(schema(kind).get_atts)


@KINDS
def test_the_name_property_is_one_whose_change_makes_a_new_resource(kind: type[ResourceType]) -> None:
    assert kind.name_property is None or kind.name_property in kind.replaced_by


@KINDS
def test_types_that_take_tags_take_the_stacks_tags(kind: type[ResourceType]) -> None:
    assert (kind.tag_form is not None) == ("Tags" in kind.handled)


def shape(service: str, operation: str) -> Any:
    return service_model(service).operation_model(operation).input_shape


def test_values_take_the_types_of_the_api() -> None:
    given = {"FunctionName": 5, "Timeout": "25", "Publish": "true", "Environment": {"Variables": {"A": True, "B": 1.0}}}
    assert coerce(shape("lambda", "CreateFunction"), given, "x") == {
        "FunctionName": "5",
        "Timeout": 25,
        "Publish": True,
        "Environment": {"Variables": {"A": "true", "B": "1"}},
    }


def test_a_single_value_serves_as_a_list_and_text_as_a_number() -> None:
    given = {"AlarmActions": "arn", "Threshold": "1.5", "Period": 10.0}
    assert coerce(shape("cloudwatch", "PutMetricAlarm"), given, "x") == {
        "AlarmActions": ["arn"],
        "Threshold": 1.5,
        "Period": 10,
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Environment": {"Colour": 1}}, r"CreateFunction\.Environment: property Colour is not handled"),
        ({"Timeout": "soon"}, r"CreateFunction\.Timeout: 'soon' is not a number"),
        ({"Timeout": 1.5}, "is not an integer"),
        ({"Publish": "maybe"}, "is not a boolean"),
        ({"Role": {"a": 1}}, "a string is needed"),
    ],
)
def test_what_the_api_does_not_take_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        coerce(shape("lambda", "CreateFunction"), given, "CreateFunction")


def test_generated_names_have_cloudformations_form_and_fit() -> None:
    assert physical_name("app", "Queue", limit=80)[:10] == "app-Queue-"
    long = physical_name("a-very-long-stack-name-indeed", "ALogicalIdThatIsLongAsWell" * 3, limit=64)
    assert len(long) <= 64
    assert long.startswith("a-very-long-stack-name-")
    assert physical_name("App", "Bucket", limit=63, lower=True).islower()
    assert physical_name("app", "Q", limit=20, suffix=".fifo").endswith(".fifo")
    assert physical_name("app", "Queue", limit=80) != physical_name("app", "Queue", limit=80)
