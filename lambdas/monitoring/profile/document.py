"""JSON text of a profile: compact, and the same bytes for the same counts."""

import json
from hashlib import sha256
from typing import NoReturn

from lambdas.monitoring.profile.errors import ProfileError

ID_CHARACTERS = 16


def written(document: object) -> str:
    """Return JSON text with sorted keys and no spaces; characters beyond ASCII are escaped."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def parsed(text: str | bytes, name: str) -> object:
    """Read JSON text.

    Parameters
    ----------
    text
        UTF-8 where it is bytes.
    name
        What it is, for messages: ``baseline``.

    Raises
    ------
    ProfileError
        If this is not JSON. NaN and Infinity, which Python would read, are none.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ProfileError(
            name, text[:200], f"this is not JSON ({error}); restore the file from where it was made"
        ) from error


def identity(text: str) -> str:
    """Return the first 16 hexadecimal digits of the text's SHA-256."""
    return sha256(text.encode()).hexdigest()[:ID_CHARACTERS]


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
