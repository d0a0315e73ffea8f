"""Prefixes of delivered objects ("Understand custom prefixes for Amazon S3 objects" in Firehose's guide)."""

import re
import secrets
from datetime import UTC, datetime

from localcloud.errors import AwsError, NotSimulatedError

_EXPRESSION = re.compile(r"!\{([^{}:]*):([^{}]*)\}")
_LETTERS = re.compile(r"'([^']*)'|(y+|M+|d+|H+|m+|s+)|([A-Za-z])")
_TIMES = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_PLAIN = "!{timestamp:yyyy/MM/dd/HH}/"
ERROR_TYPE = "error-output-type"
_RANDOM = "random-string"


def checked(prefix: str, *, of_errors: bool) -> str:
    """Return a prefix, with the hour added where it says none itself; raise an error if it cannot be used.

    A prefix without expressions has ``yyyy/MM/dd/HH/`` appended; one of errors must say of which kind they are.
    """
    if "!{" not in prefix:
        return prefix + _PLAIN if prefix or not of_errors else prefix + f"!{{firehose:{ERROR_TYPE}}}/{_PLAIN}"
    if of_errors and f"!{{firehose:{ERROR_TYPE}}}" not in prefix:
        raise AwsError("InvalidArgumentException", f"ErrorOutputPrefix {prefix!r} must have !{{firehose:{ERROR_TYPE}}}")
    if not of_errors and ERROR_TYPE in prefix:
        raise AwsError("InvalidArgumentException", f"Prefix {prefix!r} cannot have !{{firehose:{ERROR_TYPE}}}")
    expanded(prefix, 0.0, "none")
    return prefix


def expanded(prefix: str, at: float, error_type: str = "") -> str:
    """Return a prefix for the records that came at a time, in epoch seconds."""
    moment = datetime.fromtimestamp(at, UTC)
    return _EXPRESSION.sub(lambda found: _value(found[1], found[2], moment, error_type), prefix)


def _value(namespace: str, expression: str, moment: datetime, error_type: str) -> str:
    if namespace == "timestamp":
        return _LETTERS.sub(lambda found: _time(found, moment), expression)
    if namespace == "firehose" and expression == ERROR_TYPE:
        return error_type
    if namespace == "firehose" and expression == _RANDOM:
        return secrets.token_urlsafe(8)[:11]
    raise NotSimulatedError(f"the expression !{{{namespace}:{expression}}} in a delivery stream's prefix")


def _time(found: re.Match[str], moment: datetime) -> str:
    quoted, letters, other = found.groups()
    if quoted is not None:
        return quoted
    if other is not None or letters not in _TIMES:
        raise NotSimulatedError(f"the letters {other or letters!r} of a timestamp in a delivery stream's prefix")
    return moment.strftime(_TIMES[letters])
