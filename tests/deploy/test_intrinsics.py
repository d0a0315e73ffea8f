"""Intrinsic functions, conditions, parameters and dynamic references."""

from typing import Any

import pytest

from localcloud.deploy.blueprint import Blueprint
from localcloud.deploy.errors import TemplateError, UnsupportedError
from localcloud.deploy.parameters import dynamic_references, parameter_values
from localcloud.deploy.template import parse_template

PARAMETERS = {"AWS::Region": "us-east-1", "AWS::AccountId": "1234", "Stage": "dev", "Zones": ["a", "b"]}
TEMPLATE: dict[str, Any] = {
    "Mappings": {"Size": {"dev": {"count": 2}}},
    "Conditions": {
        "Dev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]},
        "Prod": {"Fn::Not": [{"Condition": "Dev"}]},
        "Both": {"Fn::And": [{"Condition": "Dev"}, {"Condition": "Prod"}]},
        "Either": {"Fn::Or": [{"Condition": "Dev"}, {"Condition": "Prod"}]},
        "Number": {"Fn::Equals": ["2", {"Fn::FindInMap": ["Size", "dev", "count"]}]},
    },
}


class Things:
    def ref(self, logical_id: str) -> str:
        return f"id-of-{logical_id}"

    def attribute(self, logical_id: str, name: str) -> str:
        return f"{name}-of-{logical_id}"


def blueprint(value: Any, **sections: Any) -> Blueprint:
    resources = {"R": {"Type": "T", "Properties": {"P": value}}, "Q": {"Type": "T"}, "S": {"Type": "T"}}
    return Blueprint(
        parse_template({**TEMPLATE, "Resources": resources, **sections}),
        parameters=PARAMETERS,
        resources=Things(),
        import_value=lambda name: f"import-of-{name}",
        dynamic=dynamic_references(lambda name: f"ssm-of-{name}"),
    )


def resolve(value: Any) -> Any:
    return blueprint(value).desired("R").get("P")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Stage"}, "dev"),
        ({"Ref": "Q"}, "id-of-Q"),
        ({"Fn::GetAtt": ["Q", "Arn"]}, "Arn-of-Q"),
        ({"Fn::GetAtt": "Q.Nested.Arn"}, "Nested.Arn-of-Q"),
        ({"Fn::Sub": "${Stage}/${Q}/${Q.Arn}/${!Literal}/${AWS::Region}"}, "dev/id-of-Q/Arn-of-Q/${Literal}/us-east-1"),
        ({"Fn::Sub": ["${X}-${Stage}", {"X": {"Ref": "Q"}}]}, "id-of-Q-dev"),
        ({"Fn::Join": ["", ["a", {"Ref": "Stage"}, 1, True]]}, "adev1true"),
        ({"Fn::Join": [",", {"Ref": "Zones"}]}, "a,b"),
        ({"Fn::Select": ["1", ["x", "y"]]}, "y"),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "us-east-1a"),
        ({"Fn::Split": ["-", {"Ref": "Q"}]}, ["id", "of", "Q"]),
        ({"Fn::Select": [2, {"Fn::Split": [":", "arn:aws:iam"]}]}, "iam"),
        ({"Fn::If": ["Dev", 1, 2]}, 1),
        ({"Fn::If": ["Prod", 1, {"Ref": "AWS::NoValue"}]}, None),
        ({"Fn::If": ["Both", 1, {"Fn::If": ["Either", "e", "n"]}]}, "e"),
        ({"Fn::If": ["Number", "same as text", ""]}, "same as text"),
        ({"Fn::ImportValue": {"Fn::Sub": "${Stage}-x"}}, "import-of-dev-x"),
        ({"Fn::Base64": "hi"}, "aGk="),
        ({"Fn::FindInMap": ["Size", {"Ref": "Stage"}, "count"]}, 2),
        ({"Fn::FindInMap": ["Size", "none", "count", {"DefaultValue": 7}]}, 7),
        ({"Fn::ToJsonString": {"a": {"Ref": "Stage"}}}, '{"a":"dev"}'),
        ("{{resolve:ssm:/a/b}}", "ssm-of-/a/b"),
        ({"Fn::Join": ["", ["x-{{resolve:ssm:/a", "/b:3}}"]]}, "x-ssm-of-/a/b:3"),
        ([{"a": [{"Ref": "AWS::NoValue"}, {"Ref": "Stage"}], "b": {"Ref": "AWS::NoValue"}}], [{"a": ["dev"]}]),
        ({"Condition": {"StringEquals": {"x": {"Ref": "Stage"}}}}, {"Condition": {"StringEquals": {"x": "dev"}}}),
    ],
)
def test_functions_give_what_cloudformation_gives(value: Any, expected: Any) -> None:
    assert resolve(value) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, "R: function Fn::Cidr is not handled"),
        ({"Fn::Select": [5, ["x"]]}, "R: Fn::Select cannot work with"),
        ({"Fn::FindInMap": ["Size", "prod", "count"]}, "Mappings has no Size.prod.count"),
        ({"Fn::If": ["Nope", 1, 2]}, "condition Nope is not defined"),
        ("{{resolve:secretsmanager:x}}", "dynamic reference .* is not handled"),
    ],
)
def test_what_cannot_be_resolved_names_the_resource_and_the_function(value: Any, message: str) -> None:
    with pytest.raises((TemplateError, UnsupportedError), match=message):
        resolve(value)


def test_only_the_branch_that_holds_makes_a_dependency() -> None:
    made = blueprint({"Fn::If": ["Dev", {"Fn::Sub": "${Q.Arn}"}, {"Ref": "S"}]})
    assert made.dependencies["R"] == ("Q",)


def test_outputs_follow_their_conditions() -> None:
    outputs = {
        "Shown": {"Value": {"Ref": "Q"}, "Export": {"Name": {"Fn::Sub": "${Stage}-q"}}},
        "Hidden": {"Value": {"Ref": "S"}, "Condition": "Prod"},
    }
    assert blueprint(1, Outputs=outputs).outputs() == ({"Shown": "id-of-Q"}, {"dev-q": "id-of-Q"})


def test_a_broken_rule_is_told_in_its_own_words() -> None:
    contains = {"Fn::Contains": [["dev", "test"], {"Ref": "Stage"}]}
    rule = {"Assertions": [{"Assert": {"Fn::Not": [contains]}, "AssertDescription": "not for dev"}]}
    with pytest.raises(TemplateError, match="not for dev"):
        blueprint(1, Rules={"R": rule})


@pytest.mark.parametrize(
    ("definition", "given", "expected"),
    [
        ({"Type": "String", "Default": "a"}, {}, "a"),
        ({"Type": "Number", "Default": 5}, {}, "5"),
        ({"Type": "String"}, {"P": "b"}, "b"),
        ({"Type": "CommaDelimitedList", "Default": "a,b"}, {}, ["a", "b"]),
        ({"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x"}, {}, "value of /x"),
        ({"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/x,y"}, {}, ["value of /x", "y"]),
    ],
)
def test_parameters_take_their_values(definition: Any, given: Any, expected: Any) -> None:
    assert parameter_values({"P": definition}, given, lambda name: f"value of {name}") == {"P": expected}


@pytest.mark.parametrize(
    ("definition", "given", "message"),
    [
        ({"Type": "String"}, {}, "parameter P needs a value"),
        ({"Type": "String", "AllowedValues": ["a"]}, {"P": "b"}, r"allowed are \['a'\]"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, {"P": "B"}, "must match"),
        ({"Type": "Number"}, {"P": "x"}, "a number is needed"),
        ({"Type": "String", "Default": "a"}, {"Q": "b"}, "parameter Q is given"),
    ],
)
def test_a_bad_parameter_names_field_value_and_what_is_allowed(definition: Any, given: Any, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        parameter_values({"P": definition}, given, str)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"Transform": "AWS::Serverless"}, "section Transform"),
        ({"Resources": {"R": {"Type": "T", "UpdatePolicy": {}}}}, "R: resource attribute UpdatePolicy"),
        ({"Resources": {"R": {"Type": "T", "DeletionPolicy": "Snapshot"}}}, "R: DeletionPolicy 'Snapshot'"),
    ],
)
def test_parts_of_a_template_that_are_not_handled_are_named(body: Any, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        parse_template(body)
