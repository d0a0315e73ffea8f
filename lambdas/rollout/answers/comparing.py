"""Puts captured requests to a new version that is being watched, and counts where it answers differently.

It is one request at a time, as few of each file as the policy says, and none that does not concern a version that takes
traffic already. Whatever goes wrong here only means that there is less evidence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lambdas.contract import SLOTS
from lambdas.rollout.answers import paired
from lambdas.rollout.answers.captures import CaptureObject, Exchange, Reply, lines_of, read_exchange, spread
from lambdas.rollout.answers.replays import most, noted
from lambdas.rollout.answers.sameness import FieldlessError, UnreadableError, differ
from lambdas.rollout.answers.subject import Subject, subject_of
from lambdas.rollout.errors import MissingError, TidegateError
from lambdas.rollout.judge.counts import Paired, Replays, Tally
from lambdas.rollout.judge.incomparable import Incomparable, Name, in_file
from lambdas.rollout.ports import Clock, Log
from lambdas.rollout.state import State

SENDING_SECONDS = 30.0
"""No request of a file is begun later than this."""

OLDEST_SECONDS = 600.0
"""Files that were written longer ago are left alone: what is captured now says more, and there is always more."""

LOOK_AGAIN_SECONDS = 2.0
"""How often it is looked whether the rollout still goes on, while requests are sent."""

FAILURES_IN_A_ROW = 3
"""So many requests without an answer mean that there is no room for more."""


ANSWERED, UNSEEN = Tally(0, 1), Tally(0, 0)
"""What the new version's metrics show of a request with an answer, also with a refusal; and of one they never saw."""


@dataclass(frozen=True)
class Refused:
    """The new version calls a request wrong that the live one has answered."""

    reason: str


@dataclass(frozen=True)
class Failed:
    """There was no answer: a fault of the new version's, or of the way to it; `counted` is what its metrics show."""

    reason: str
    counted: Tally = UNSEEN


@dataclass(frozen=True)
class Unfit:
    """A request that cannot be sent as it was captured."""

    reason: str


class States(Protocol):
    """The endpoints' states."""

    def load(self, name: str) -> State | None:
        """Return the endpoint's state, or None when it has none."""


class Findings(Protocol):
    """Where it is kept what was found."""

    def has(self, key: dict[str, str]) -> bool:
        """Return whether there is an item under a key."""

    def put_new(self, item: dict[str, Any]) -> bool:
        """Write an item unless that of another file is under its key; return whether this file's is there now."""


class Captures(Protocol):
    """Objects with captured requests."""

    def read(self, bucket: str, key: str) -> tuple[bytes, bool]:
        """Return as much of an object's content as is ever read, and whether that is all of it.

        Raises
        ------
        MissingError
            When there is no such object.
        """


class Asking(Protocol):
    """Sends requests to one variant."""

    def ask(self, name: str, slot: str, exchange: Exchange) -> Reply | Refused | Failed | Unfit:
        """Return what the variant answers to a captured request."""


@dataclass(frozen=True)
class Tried:
    """What the requests of a file have brought so far.

    `field` is what of answers is compared, and `shared` is what those of the live version's have that are without it.
    """

    field: str = ""
    compared: int = 0
    differed: int = 0
    unreadable: int = 0
    failed: int = 0
    in_a_row: int = 0
    last_failure: str = ""
    last_unfit: str = ""
    replays: tuple[Replays, ...] = ()
    nonsense: int = 0
    without: int = 0
    shared: frozenset[Name] = frozenset()

    def sent(self, at: float, period_seconds: int, counted: Tally) -> "Tried":
        """Return it with what the metrics of a period show of a request."""
        return replace(self, replays=noted(self.replays, at, period_seconds, counted)) if counted.total else self

    def answered(self, *, otherwise: bool) -> "Tried":
        """Return it with a request that both versions have answered."""
        return replace(self, compared=self.compared + 1, differed=self.differed + otherwise, in_a_row=0)

    def unanswered(self, reason: str) -> "Tried":
        """Return it with a request that got no answer."""
        return replace(self, failed=self.failed + 1, in_a_row=self.in_a_row + 1, last_failure=reason)

    def unread(self) -> "Tried":
        """Return it with a line that says nothing."""
        return replace(self, unreadable=self.unreadable + 1)

    def nonsensical(self) -> "Tried":
        """Return it with an answer of the live version's that cannot be read."""
        return replace(self, nonsense=self.nonsense + 1, in_a_row=0)

    def fieldless(self, names: frozenset[Name]) -> "Tried":
        """Return it with an answer of the live version's that has other fields than the one that is compared."""
        shared = self.shared & names if self.without else names
        return replace(self, without=self.without + 1, shared=shared, in_a_row=0)

    def unfit(self, reason: str) -> "Tried":
        """Return it with a request that cannot be sent."""
        return replace(self.unread(), last_unfit=reason)

    def __str__(self) -> str:
        """Say it in a line of the log."""
        parts = [f"{self.differed} of {self.compared} captured requests were answered differently"]
        unreadable, without = self.unreadable + self.nonsense, self.without
        unfit = f" or sent, the last one for {self.last_unfit}" if self.last_unfit else ""
        parts += [f"{unreadable} could not be read{unfit}"] if unreadable else []
        parts += [f"{without} were answered without a field {self.field!r}{self._in_its_place}"] if without else []
        parts += [f"{self.failed} got no answer, the last one: {self.last_failure}"] if self.failed else []
        return "; ".join(parts)

    @property
    def incomparable(self) -> Incomparable:
        """The live version's answers in which there was nothing to compare."""
        return in_file(self.nonsense, self.without, self.shared)

    @property
    def _in_its_place(self) -> str:
        found = self.incomparable
        more = " and more" if found.many else ""
        return f", all of them with {', '.join(found.names)}{more}" if found.names else ""


class Comparison:
    """Compares the answers of both versions, file by file.

    Parameters
    ----------
    states, findings, captures, asking
        What is known of the endpoints, where findings are kept, what has been captured, and the way to the variants.
    clock, log
        Time, and lines for people.
    """

    def __init__(
        self, states: States, findings: Findings, captures: Captures, asking: Asking, clock: Clock, log: Log
    ) -> None:
        self._states = states
        self._findings = findings
        self._captures = captures
        self._asking = asking
        self._clock = clock
        self._log = log

    def take(self, file: CaptureObject) -> Paired | None:
        """Compare the answers to some requests of a file; None when it concerns no version that is being watched."""
        subject = self._subject(file)
        if subject is None:
            return None
        rollout = subject.rollout
        key = paired.key(file.endpoint, rollout.id, paired.place(rollout.started_at, file.at))
        if self._findings.has(key):
            return None  # this file, delivered once more, or another of the same moment
        try:
            tried = self._try(file, subject)
        except MissingError as error:
            self._log.info(f"nothing was compared: {error}")
            return None
        if tried is None:
            self._log.info("the rollout was over before the answers had been compared")
            return None
        self._log.bind(compared=tried.compared, differed=tried.differed, failed=tried.failed)
        doubtful = tried.failed or tried.unreadable or tried.incomparable
        (self._log.warning if doubtful else self._log.info)(str(tried))
        return self._keep(file, key, tried)

    def _subject(self, file: CaptureObject) -> Subject | None:
        if file.slot not in SLOTS or self._clock.now() - file.at > OLDEST_SECONDS:
            return None
        subject = subject_of(self._states.load(file.endpoint))
        if subject is None or file.slot != subject.rollout.stable_slot or file.at < subject.rollout.started_at:
            return None
        rollout = subject.rollout
        self._log.bind(endpoint=file.endpoint, rollout=rollout.id, phase=rollout.phase.value, capture=file.key)
        return subject

    def _try(self, file: CaptureObject, subject: Subject) -> Tried | None:
        """Return what came of the requests; None when the rollout was over before they had all been sent."""
        content, whole = self._captures.read(file.bucket, file.key)
        lines = lines_of(content, whole=whole)
        tried = Tried(subject.settings.field)
        try:
            for now in self._send(file.endpoint, subject, spread(lines, _count(subject, len(lines)))):
                tried = now
            return tried if self._goes_on(file.endpoint, subject) else None
        except TidegateError as error:
            if not tried.replays:
                raise
            # Sent is sent: were the file taken once more, nobody would know of these requests.
            self._log.warning(f"no more captured requests were sent, for {type(error).__name__}")
            return tried

    def _send(self, name: str, subject: Subject, lines: Sequence[bytes]) -> Iterator[Tried]:
        """Send one request after the other while there is time and room, and tell what they have brought so far."""
        began = looked = self._clock.elapsed()
        tried = Tried(subject.settings.field)
        for line in lines:
            now = self._clock.elapsed()
            if now - began > SENDING_SECONDS or tried.in_a_row >= FAILURES_IN_A_ROW:
                return
            if now - looked > LOOK_AGAIN_SECONDS:
                looked = now
                if not self._goes_on(name, subject):
                    return
            tried = self._compare(name, subject, line, tried)
            yield tried

    def _goes_on(self, name: str, subject: Subject) -> bool:
        now = subject_of(self._states.load(name))
        return now is not None and now.rollout.id == subject.rollout.id

    def _compare(self, name: str, subject: Subject, line: bytes, tried: Tried) -> Tried:
        exchange = read_exchange(line)
        if exchange is None:
            return tried.unread()
        answer = self._asking.ask(name, subject.rollout.slot, exchange)
        if isinstance(answer, Unfit):
            return tried.unfit(answer.reason)
        counted = answer.counted if isinstance(answer, Failed) else ANSWERED
        tried = tried.sent(self._clock.now(), subject.rollout.evidence.period_seconds, counted)
        if isinstance(answer, Failed):
            return tried.unanswered(answer.reason)
        reply = None if isinstance(answer, Refused) else answer
        try:
            return tried.answered(otherwise=differ(exchange.live, reply, subject.settings))
        except FieldlessError as error:
            return tried.fieldless(error.names)
        except UnreadableError:
            return tried.nonsensical()

    def _keep(self, file: CaptureObject, key: dict[str, str], tried: Tried) -> Paired | None:
        """Keep what was found; where another file was quicker, only what was sent, which metrics count nevertheless."""
        found = Paired(file.at, tried.compared, tried.differed, tried.replays, tried.incomparable)
        if not tried.compared and not tried.replays:
            return None
        if not self._findings.put_new(paired.item(key, found, file.key)):
            found = Paired(file.at, 0, 0, tried.replays)
            self._findings.put_new(paired.item(paired.spare(key, file.key), found, file.key))
        return found if found.compared else None


def _count(subject: Subject, records: int) -> int:
    """Return how many of a file's requests are put to the new version."""
    step = subject.rollout.in_effect
    return min(subject.settings.sample, most(records, step.weight if step else 0))
