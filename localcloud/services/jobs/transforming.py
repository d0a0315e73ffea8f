"""The work of a batch transform: payloads to the model, answers in order into one output for each object.

However large the input is, no more is in memory than the payloads that are being answered.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from localcloud.services.jobs.payloads import PayloadTooLargeError, payloads
from localcloud.services.jobs.storage import RoleStorage, Source

_LOOK_SECONDS = 0.1

Invoke = Callable[[bytes], bytes]


class RecordRefusedError(Exception):
    """The model does not answer a payload; the text says why."""


@dataclass(frozen=True)
class Terms:
    """How the work is to be done: what the request asks for, else the container, else SageMaker."""

    at_once: int
    most_bytes: int
    by_line: bool
    many: bool
    ends_lines: bool
    output: str
    key: str | None


class Output:
    """The answers to one object, kept in a file until they are whole."""

    def __init__(self, source: Source, path: Path, *, ends_lines: bool) -> None:
        self.source = source
        self.path = path
        self.failure: str | None = None
        self._ends_lines = ends_lines
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")

    def add(self, answer: bytes) -> None:
        """Add an answer; AssembleWith Line ends it with a line's end, whether or not it has one."""
        self._file.write(answer)
        if self._ends_lines:
            self._file.write(b"\n")

    def close(self) -> None:
        """Write what is left to the file."""
        self._file.close()


class Transformation:
    """Answers objects one after another, their payloads several at a time.

    Parameters
    ----------
    invoke
        Asks the model; called on threads of its own.
    storage
        S3 under the job's role.
    terms
        How.
    folder
        For one input and one output at a time.
    obey
        Called between payloads; raises to end the work.
    """

    def __init__(
        self, invoke: Invoke, storage: RoleStorage, terms: Terms, folder: Path, obey: Callable[[], None]
    ) -> None:
        self._invoke = invoke
        self._storage = storage
        self._terms = terms
        self._folder = folder
        self._obey = obey
        self._pending: deque[tuple[Output, Future[bytes] | None]] = deque()
        """Payloads that are being answered, in order; None stands for the end of an object."""
        self._failures: list[str] = []

    def run(self, sources: list[Source]) -> list[str]:
        """Answer all objects; return in words which could not be, and why. The others have their outputs."""
        pool = ThreadPoolExecutor(self._terms.at_once, thread_name_prefix="transform")
        try:
            for number, source in enumerate(sources):
                output = Output(source, self._folder / f"{number}.out", ends_lines=self._terms.ends_lines)
                self._submit(output, self._folder / f"{number}.in", pool)
                self._pending.append((output, None))
            self._settle(0)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return self._failures

    def _submit(self, output: Output, path: Path, pool: ThreadPoolExecutor) -> None:
        self._storage.fetch(output.source, path)
        terms = self._terms
        try:
            with path.open("rb") as file:
                for body in payloads(file, terms.most_bytes, by_line=terms.by_line, many=terms.many):
                    if output.failure is not None:
                        break
                    self._pending.append((output, pool.submit(self._invoke, body)))
                    self._settle(terms.at_once)
        except PayloadTooLargeError as error:
            output.failure = str(error)
        path.unlink()

    def _settle(self, most: int) -> None:
        """Take the earliest answers until no more than `most` payloads, one of them not yet begun, are pending."""
        while len(self._pending) > most:
            self._obey()
            output, future = self._pending.popleft()
            if future is None:
                self._finish(output)
            else:
                self._take(output, future)

    def _take(self, output: Output, future: Future[bytes]) -> None:
        while not wait((future,), _LOOK_SECONDS).done:
            self._obey()
        try:
            answer = future.result()
        except RecordRefusedError as error:
            output.failure = output.failure or str(error)
        else:
            output.add(answer)

    def _finish(self, output: Output) -> None:
        output.close()
        if output.failure is None:
            self._storage.put_file(output.path, f"{self._terms.output}/{output.source.path}.out", self._terms.key)
        else:
            self._failures.append(f"{output.source.uri}: {output.failure}")
        output.path.unlink()
