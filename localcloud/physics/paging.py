"""Pages of a list, with an opaque token for the next one."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from localcloud.errors import AwsError

Item = TypeVar("Item")


def page(items: Sequence[Item], token: str | None, size: int) -> tuple[list[Item], str | None]:
    """Return one page, and the token of the next if there is one.

    Raises
    ------
    AwsError
        If the token is not one that was given out.
    """
    start = _position(token) if token else 0
    end = start + size
    return list(items[start:end]), _token(end) if end < len(items) else None


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def _position(token: str) -> int:
    try:
        prefix, _, position = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if prefix == "at":
            return int(position)
    except (ValueError, binascii.Error):
        pass
    raise AwsError("InvalidNextToken", "The next token specified is invalid.")
