"""Which body formats are read and written, by media type."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from . import csv_body, json_body, npy_body
from .headers import accepted, media_type
from .problems import ProblemError
from .signature import Signature

JSON = "application/json"
CSV = "text/csv"
NPY = "application/x-npy"
SHOWN = 100  # characters of a header, in an error

Rows = list[tuple[object, ...]]
# From a body, the model's signature and the most rows that a body may hold.
Decoder = Callable[[bytes, Signature, int], NDArray[np.float64]]
Encoder = Callable[[list[str], Rows], bytes]

_DECODERS: dict[str, Decoder] = {JSON: json_body.decode, CSV: csv_body.decode, NPY: npy_body.decode}
_ENCODERS: dict[str, Encoder] = {
    JSON: json_body.encode,
    CSV: lambda _names, rows: csv_body.encode(rows),
    NPY: lambda _names, rows: npy_body.encode(rows),
}
_WILDCARDS = {"*/*": JSON, "application/*": JSON, "text/*": CSV}


def decoder(content_type: str) -> Decoder:
    """Return the reader of a request's Content-Type.

    Raises
    ------
    ProblemError
        Status 415, naming the types that are read.
    """
    found = _DECODERS.get(media_type(content_type))
    if found is None:
        shown = content_type[:SHOWN] or "none given"
        detail = f"Content-Type is {shown}; send one of {', '.join(_DECODERS)}"
        raise ProblemError(415, "unsupported media type", detail)
    return found


def encoder(accept: str) -> tuple[str, Encoder]:
    """Return the media type and writer that suit an Accept header best; without one, JSON.

    Raises
    ------
    ProblemError
        Status 406, naming the types that are written.
    """
    for asked in accepted(accept or JSON):
        media = _WILDCARDS.get(asked, asked)
        if media in _ENCODERS:
            return media, _ENCODERS[media]
    raise ProblemError(406, "not acceptable", f"Accept is {accept[:SHOWN]}; ask for one of {', '.join(_ENCODERS)}")
