"""Condition blocks of IAM policies."""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache

from localcloud.errors import NotSimulatedError

Context = Mapping[str, str | Sequence[str]]
"""What is known about a request; keys in lower case, as IAM compares them."""

KNOWN_KEYS = frozenset(
    {
        "aws:currenttime",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principalservicename",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:securetransport",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceowner",
        "aws:userid",
        "aws:viaawsservice",
        "application-autoscaling:scalable-dimension",
        "application-autoscaling:service-namespace",
        "cloudwatch:namespace",
        "dynamodb:leadingkeys",
        "events:detail-type",
        "events:source",
        "iam:awsservicename",
        "iam:passedtoservice",
        "kms:calleraccount",
        "kms:encryptioncontext:aws:logs:arn",
        "kms:encryptioncontext:aws:states:statemachinearn",
        "kms:encryptioncontext:sourcearn",
        "kms:messagetype",
        "kms:resourcealiases",
        "kms:signingalgorithm",
        "kms:viaservice",
        "s3:prefix",
        "s3:tlsversion",
        "sagemaker:instancetypes",
        "sagemaker:modelapprovalstatus",
        "sagemaker:modelarn",
    }
)
"""Keys that requests here carry wherever they carry them on AWS; any other must not be taken for absent."""

_Test = Callable[[str, str], bool]
_VARIABLE = re.compile(r"\$\{([^}]*)\}")

# What stands for itself inside a pattern: private characters take the place of wildcards until the pattern is compiled.
_AS_LITERAL = {"*": "\ue000", "?": "\ue001"}
_AS_WRITTEN = {mark: character for character, mark in _AS_LITERAL.items()}
_ESCAPED = ("*", "?", "$")
_WITH_WILDCARDS = frozenset(
    {"StringLike", "StringNotLike", "ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals"},
)


@cache
def wildcard(pattern: str, fold: bool = False) -> re.Pattern[str]:
    """Return the regular expression of an IAM pattern, in which ``*`` and ``?`` stand for characters."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    for mark, character in _AS_WRITTEN.items():
        expression = expression.replace(mark, re.escape(character))
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if fold else 0))


def matches(pattern: str, value: str) -> bool:
    """Whether a value fits an IAM pattern."""
    return wildcard(pattern).fullmatch(value) is not None


def arn_matches(pattern: str, value: str) -> bool:
    """Whether an ARN fits a pattern, section by section: ``*`` does not reach over a colon of the first five."""
    left, right = pattern.split(":", 5), value.split(":", 5)
    return len(left) == len(right) and all(matches(p, v) for p, v in zip(left, right, strict=True))


def _number(test: Callable[[float, float], bool]) -> _Test:
    return lambda actual, wanted: test(float(actual), float(wanted))


def _date(test: Callable[[datetime, datetime], bool]) -> _Test:
    return lambda actual, wanted: test(_moment(actual), _moment(wanted))


def _moment(text: str) -> datetime:
    if text.replace(".", "", 1).isdigit():
        return datetime.fromtimestamp(float(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_network(actual: str, wanted: str) -> bool:
    return ipaddress.ip_address(actual) in ipaddress.ip_network(wanted, strict=False)


_POSITIVE: dict[str, _Test] = {
    "StringEquals": lambda actual, wanted: actual == wanted,
    "StringEqualsIgnoreCase": lambda actual, wanted: actual.lower() == wanted.lower(),
    "StringLike": lambda actual, wanted: matches(wanted, actual),
    "ArnEquals": lambda actual, wanted: arn_matches(wanted, actual),
    "ArnLike": lambda actual, wanted: arn_matches(wanted, actual),
    "Bool": lambda actual, wanted: actual.lower() == wanted.lower(),
    "NumericEquals": _number(lambda a, w: a == w),
    "NumericLessThan": _number(lambda a, w: a < w),
    "NumericLessThanEquals": _number(lambda a, w: a <= w),
    "NumericGreaterThan": _number(lambda a, w: a > w),
    "NumericGreaterThanEquals": _number(lambda a, w: a >= w),
    "DateEquals": _date(lambda a, w: a == w),
    "DateLessThan": _date(lambda a, w: a < w),
    "DateLessThanEquals": _date(lambda a, w: a <= w),
    "DateGreaterThan": _date(lambda a, w: a > w),
    "DateGreaterThanEquals": _date(lambda a, w: a >= w),
    "IpAddress": _in_network,
}
_NEGATIVE = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}


def holds(block: Mapping[str, Mapping[str, object]], context: Context) -> bool:
    """Whether every operator of a Condition block is satisfied; an error where it asks for a key that is not known."""
    for key in (key for keys in block.values() for key in keys if key.lower() not in KNOWN_KEYS):
        raise NotSimulatedError(f"IAM condition key {key!r}")
    return all(
        _operator_holds(operator, key.lower(), _strings(wanted), context)
        for operator, keys in block.items()
        for key, wanted in keys.items()
    )


def _strings(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(v).lower() if isinstance(v, bool) else str(v) for v in values]


def _operator_holds(operator: str, key: str, wanted: list[str], context: Context) -> bool:
    quantifier, _, name = operator.rpartition(":")
    base, if_exists = name.removesuffix("IfExists"), name.endswith("IfExists")
    if base not in _POSITIVE and base not in _NEGATIVE and base != "Null":
        raise NotSimulatedError(f"IAM condition operator {operator!r}")
    found = context.get(key)
    actual = [found] if isinstance(found, str) else list(found or [])
    if base == "Null":
        return (not actual) == (wanted[0].lower() == "true")
    if not actual:
        return if_exists or base in _NEGATIVE or quantifier == "ForAllValues"
    fill = filled if base in _WITH_WILDCARDS else _filled_plainly
    return _values_hold(quantifier, base, actual, [fill(item, context) for item in wanted])


def _values_hold(quantifier: str, base: str, actual: list[str], wanted: list[str]) -> bool:
    if quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise NotSimulatedError(f"IAM condition quantifier {quantifier!r}")
    negative = base in _NEGATIVE
    test = _POSITIVE[_NEGATIVE.get(base, base)]
    outcomes = [any(test(value, item) for item in wanted) is not negative for value in actual]
    if quantifier == "ForAnyValue" or (quantifier == "" and not negative):
        return any(outcomes)
    return all(outcomes)


def filled(pattern: str, context: Context) -> str:
    """Return a pattern with its policy variables replaced; wildcards in their values stand for themselves."""
    return _VARIABLE.sub(lambda match: _literal(_value_of(match, context)), pattern)


def _filled_plainly(text: str, context: Context) -> str:
    return _VARIABLE.sub(lambda match: _value_of(match, context), text)


def _literal(value: str) -> str:
    return "".join(_AS_LITERAL.get(character, character) for character in value)


def _value_of(match: re.Match[str], context: Context) -> str:
    """Return a variable's value, or fail.

    AWS takes the statement of a variable without a value for one that does not match, which opens the way for what a
    Deny was to forbid; and what is merely unknown here may well have a value there.
    """
    if match[1] in _ESCAPED:
        return match[1]
    found = context.get(match[1].strip().lower())
    if not isinstance(found, str):
        raise NotSimulatedError(f"IAM policy variable {match[0]} without a value known here")
    return found
