"""How one request's body is read and its answer written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32] | NDArray[np.float64]
Outputs = Sequence[NDArray[Any]]
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Written(NamedTuple):
    """An answer's body, and the headers that go with it beside its Content-Type."""

    content_type: str
    body: bytes
    headers: Mapping[str, str] = NO_HEADERS


class Exchange(Protocol):
    """Reads a request's body and writes the answer to it."""

    def read(self, body: bytes, /) -> Rows:
        """Return the rows as (rows, width): one at least, none checked against the signature's ranges yet.

        Raises
        ------
        ProblemError
            Status 400 or 413.
        """

    def write(self, outputs: Outputs, /) -> Written:
        """Return the answer: `outputs` has an array for each output of the signature, of shape (rows,) or (rows, k)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An exchange that reads one format and writes another, and remembers nothing in between."""

    read: Callable[[bytes], Rows]
    write: Callable[[Outputs], Written]
