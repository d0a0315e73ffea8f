"""What jobs are known by."""

import json
import uuid
from hashlib import sha256

_LENGTH = 32
"""As many digits as a UUID has."""


def fresh() -> str:
    """Return the id of a job that nobody can ask for twice."""
    return uuid.uuid4().hex


def of_key(endpoint: str, client: str, idempotency_key: str) -> str:
    """Return the id of the job that a client's key stands for: the same each time it is sent."""
    return sha256(_joined(endpoint, client, idempotency_key)).hexdigest()[:_LENGTH]


def request_hash(input_hash: str, caller: str, subject: str) -> str:
    """Return what two requests share that ask for the same."""
    return sha256(_joined(input_hash, caller, subject)).hexdigest()


def _joined(*parts: str) -> bytes:
    # As JSON, because no part can then pass for the end of one and the beginning of the next.
    return json.dumps(parts).encode()
