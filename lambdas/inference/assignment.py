"""Which of two versions a caller gets, the same one each time.

A caller's place is a number in [0, 1): the first 53 bits of SHA-256 over the endpoint's name, a NUL and the caller, in
UTF-8, as a fraction. The candidate answers those whose place is below its share. So a share that grows only ever adds
callers to it, nobody goes back and forth, and every instance of the function, now or after a deployment, agrees without
anything being stored. Endpoints have places of their own: who is first on one is not first on all.
"""

import hashlib

_BITS = 53
"""What a float holds exactly: with more, the last places would be rounded up to 1."""

_PLACES = float(1 << _BITS)


def unit(endpoint: str, caller: str) -> float:
    """Return a caller's place on an endpoint, in [0, 1)."""
    digest = hashlib.sha256(f"{endpoint}\0{caller}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> (64 - _BITS)) / _PLACES


def takes_candidate(endpoint: str, caller: str, percent: float) -> bool:
    """Return whether the candidate answers this caller when it has that share of the traffic."""
    return unit(endpoint, caller) < percent / 100
