"""How large an answer may be: Lambda hands on 6 MB, of a text as it stands in JSON."""

import json

from lambdas.inference.problems import Problem

_BESIDES_BYTES = 4 * 1024
"""Headers, and what is said of a job beside its answer."""

LARGEST_BYTES = 6 * 1024 * 1024 - _BESIDES_BYTES
"""Of a body, as it is sent: quoted, and what must be escaped escaped."""

_MOST_OF_A_CHARACTER = 6


def sent_bytes(body: str) -> int:
    """Return how many bytes of an answer are its body; Lambda's runtime for Python writes JSON just so."""
    return len(json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def fits(body: str) -> bool:
    """Return whether Lambda hands on an answer with this body."""
    return len(body) * _MOST_OF_A_CHARACTER < LARGEST_BYTES or sent_bytes(body) <= LARGEST_BYTES


def check_fits(body: str) -> None:
    """Raise the `Problem` of an answer that Lambda does not hand on: its caller would be told nothing."""
    if not fits(body):
        detail = f"the answer has {sent_bytes(body)} bytes as it is sent, and {LARGEST_BYTES} are the most"
        raise Problem("too-large", f"{detail}; send fewer rows in a request")
