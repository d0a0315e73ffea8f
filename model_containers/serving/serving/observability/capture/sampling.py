"""Which requests are captured."""

import random
from hashlib import blake2b

_BYTES = 8
_ALL = 1 << (8 * _BYTES)


class Sampling:
    """Takes a share of the requests: by its id where a request has one, so that a retry fares as it did, else by lot.

    Parameters
    ----------
    percent
        Above 0, up to 100.
    chance
        Source of the lots.
    """

    def __init__(self, percent: float, chance: random.Random | None = None) -> None:
        self._share = percent / 100
        self._below = round(self._share * _ALL)
        self._lot = (chance or random.Random()).random

    def takes(self, inference_id: str) -> bool:
        """Return whether a request is captured."""
        if self._share >= 1:
            return True
        if inference_id:
            digest = blake2b(inference_id.encode(), digest_size=_BYTES).digest()
            return int.from_bytes(digest, "big") < self._below
        return self._lot() < self._share
