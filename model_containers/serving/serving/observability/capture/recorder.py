"""Takes requests from the event loop, and writes them as lines from a thread of its own."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from ...headers import CUSTOM_ATTRIBUTES, INFERENCE_ID
from .. import logs
from ..metrics import Metrics
from .line import LONGEST_LINE, Taken, named_in, render
from .redaction import Redaction, UnknownColumnError, UnredactableError
from .sampling import Sampling

MOST_HELD_BYTES = 16 * 1024 * 1024
"""Of requests that wait to be written; what comes beyond it is dropped, and counted."""

EACH_BYTES = 1024
"""What a request takes beside its bodies, so that many small ones are bounded as well."""

PIECE_BYTES = 65_536
"""What is written at a time: between pieces the log's own lines have their turn."""

INTERVAL_SECONDS = 0.25
PATIENCE_SECONDS = 2.0
"""How long the end waits for what is left to be written."""

TOO_LARGE, BUFFER_FULL, NOT_REDACTED, NOT_WRITTEN = "too_large", "buffer_full", "not_redacted", "not_written"
"""Why a request was dropped; a label of the metric."""


class Recorder:
    """Captures requests; `offer` is called by the event loop, and everything else happens in a thread.

    Parameters
    ----------
    sampling
        Which requests are captured.
    metrics
        Counts what was written, and what was dropped.
    largest_bytes
        Of a body; a request with a larger one, or such an answer, is dropped.
    inputs, outputs
        Redact requests and answers.
    about
        What answers, for the lines' metadata: ``variant``, ``modelVersion``.
    write
        Takes whole lines.
    """

    def __init__(
        self,
        sampling: Sampling,
        metrics: Metrics,
        *,
        largest_bytes: int,
        inputs: Redaction,
        outputs: Redaction,
        about: Mapping[str, str],
        write: Callable[[bytes], None] = logs.write_lines,
    ) -> None:
        self._takes = sampling.takes
        self._metrics = metrics
        self._largest_bytes = largest_bytes
        self._inputs = inputs
        self._outputs = outputs
        self._about = dict(about)
        self._write = write
        self._waiting: deque[Taken] = deque()
        # Each has one writer, the loop and the thread: what is held is the difference, and no lock is needed.
        self._offered = 0
        self._done = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    @classmethod
    def of(
        cls,
        percent: float,
        metrics: Metrics,
        *,
        columns: list[str],
        outputs: list[str],
        hidden: tuple[str, ...],
        largest_bytes: int,
        about: Mapping[str, str],
        chance: random.Random | None = None,
    ) -> "Recorder":
        """Return what captures a model's requests.

        Raises
        ------
        UnknownColumnError
            When a column that is to be redacted is neither a column nor an output of the model.
        """
        unknown = [name for name in hidden if name not in columns and name not in outputs]
        if unknown:
            raise UnknownColumnError(
                f"TIDEGATE_CAPTURE_REDACTED_COLUMNS names {unknown[0]!r}, which the model has not; its columns are "
                f"{', '.join(columns)}, and its outputs {', '.join(outputs)}"
            )
        return cls(
            Sampling(percent, chance),
            metrics,
            largest_bytes=largest_bytes,
            inputs=Redaction(columns, hidden, "instances", has_header=True),
            outputs=Redaction(outputs, hidden, "predictions", has_header=False),
            about=about,
        )

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def offer(self, content_type: str, body: bytes, answer_type: str, answer: bytes, given: Mapping[str, str]) -> None:
        """Take a request that has been answered, if the sample falls on it and there is room; never wait.

        Parameters
        ----------
        content_type, body, answer_type, answer
            The request, and the answer to it.
        given
            The request's headers by lower-case name.
        """
        attributes = given.get(CUSTOM_ATTRIBUTES, "")
        inference_id = given.get(INFERENCE_ID) or named_in(attributes)
        if not self._takes(inference_id):
            return
        if len(body) > self._largest_bytes or len(answer) > self._largest_bytes:
            self._metrics.capture_dropped(TOO_LARGE)
            return
        size = len(body) + len(answer) + EACH_BYTES
        if self._offered - self._done + size > MOST_HELD_BYTES:
            self._metrics.capture_dropped(BUFFER_FULL)
            return
        self._offered += size
        self._waiting.append(Taken(time.time(), content_type, body, answer_type, answer, inference_id, attributes))

    def close(self) -> None:
        """Write what is left, as far as somebody reads it, and end."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE_SECONDS)
        if self._waiting:
            self._metrics.capture_dropped(NOT_WRITTEN, len(self._waiting))

    def _run(self) -> None:
        while not self._ending.wait(INTERVAL_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        lines: list[bytes] = []
        size = 0
        for _ in range(len(self._waiting)):
            taken = self._waiting.popleft()
            line = self._line(taken)
            self._done += len(taken.body) + len(taken.answer) + EACH_BYTES
            if line is None:
                continue
            lines.append(line)
            size += len(line)
            if size >= PIECE_BYTES:
                self._put(lines)
                lines, size = [], 0
        if lines:
            self._put(lines)

    def _line(self, taken: Taken) -> bytes | None:
        """Return a request as a line; None when it must not, or cannot, be written."""
        try:
            asked = self._redacted(self._inputs, taken.content_type, taken.body)
            answered = self._redacted(self._outputs, taken.answer_type, taken.answer)
        except UnredactableError:
            self._metrics.capture_dropped(NOT_REDACTED)
            return None
        except Exception:  # the next request may fare better
            self._metrics.capture_dropped(NOT_WRITTEN)
            logs.LOGGER.exception("a request could not be captured")
            return None
        line = render(taken, asked, answered, self._about)
        if len(line) > LONGEST_LINE:
            self._metrics.capture_dropped(TOO_LARGE)
            return None
        return line

    @staticmethod
    def _redacted(redaction: Redaction, content_type: str, body: bytes) -> bytes:
        return redaction.redact(content_type, body) if redaction.is_needed else body

    def _put(self, lines: list[bytes]) -> None:
        try:
            self._write(b"\n".join(lines) + b"\n")
        except Exception:  # standard output is closed; so nobody could be told of it either
            self._metrics.capture_dropped(NOT_WRITTEN, len(lines))
        else:
            self._metrics.captured(len(lines))
