"""Which body formats are read and written, by media type."""

from collections.abc import Callable
from functools import lru_cache

from ..headers import accepted, media_type
from ..problems import ProblemError
from ..signature import Signature
from .csv_body import CsvReader
from .exchange import Exchange, Pair, Rows
from .json_body import JsonReader
from .json_lines import JsonLinesReader
from .npy_body import NpyReader
from .table import Table
from .v2.infer import SAGEMAKER_TYPE
from .v2.protocol import InferenceProtocol
from .writers import CSV, JSON, JSON_LINES, NPY, Write, csv_writer, json_lines_writer, json_writer, npy_writer

NDJSON = "application/x-ndjson"
SHOWN = 100  # characters of a header, in an error
LONGEST_KEPT = 200  # characters of a header whose exchange is kept
KEPT = 64

_WILDCARDS = {"*/*": JSON, "application/*": JSON, "text/*": CSV}


class Formats:
    """The exchanges of one model.

    Parameters
    ----------
    signature
        What the model takes and gives.
    max_rows
        The most rows of a body.
    protocol
        Reads and writes what Triton's clients send to SageMaker endpoints; without it, that is refused with 415.
    """

    def __init__(self, signature: Signature, max_rows: int, protocol: InferenceProtocol | None = None) -> None:
        table = Table(signature, max_rows)
        names = [output.name for output in signature.outputs]
        lines = JsonLinesReader(table).read
        self._protocol = protocol
        self._readers: dict[str, Callable[[bytes], Rows]] = {
            JSON: JsonReader(table).read,
            CSV: CsvReader(table).read,
            NPY: NpyReader(table).read,
            JSON_LINES: lines,
            NDJSON: lines,
        }
        self._writers: dict[str, Write] = {
            JSON: json_writer(names),
            CSV: csv_writer(),
            NPY: npy_writer(names),
            JSON_LINES: json_lines_writer(names, JSON_LINES),
            NDJSON: json_lines_writer(names, NDJSON),
        }
        self._kept = lru_cache(KEPT)(self._pair)

    def exchange(self, content_type: str, accept: str) -> Exchange:
        """Return the exchange for a request's Content-Type and Accept headers; without an Accept, JSON is written.

        Raises
        ------
        ProblemError
            Status 415 or 406, naming the types that are read or written.
        """
        # Triton's content type says where a body's JSON ends, and its answer is in the same: Accept has no say.
        if self._protocol is not None and content_type.startswith(SAGEMAKER_TYPE):
            return self._protocol.sagemaker_exchange(content_type)
        short = len(content_type) + len(accept) <= LONGEST_KEPT
        return (self._kept if short else self._pair)(content_type, accept)

    def _pair(self, content_type: str, accept: str) -> Pair:
        return Pair(self._reader(content_type), self._writer(accept))

    def _reader(self, content_type: str) -> Callable[[bytes], Rows]:
        found = self._readers.get(media_type(content_type))
        if found is None:
            shown = content_type[:SHOWN] or "none given"
            known = [*self._readers, *([f"{SAGEMAKER_TYPE}N"] if self._protocol is not None else [])]
            detail = f"Content-Type is {shown}; send one of {', '.join(known)}"
            raise ProblemError(415, "unsupported media type", detail)
        return found

    def _writer(self, accept: str) -> Write:
        for asked in accepted(accept or JSON):
            media = _WILDCARDS.get(asked, asked)
            if media in self._writers:
                return self._writers[media]
        shown = f"Accept is {accept[:SHOWN]}; ask for one of {', '.join(self._writers)}"
        raise ProblemError(406, "not acceptable", shown)
