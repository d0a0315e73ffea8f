"""The demo's traffic: the weather stream, replayed against the endpoint at a steady rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Thread
from typing import Any

from tidegate.demo.asking import PREDICTION, SENDERS, Ask
from tidegate.demo.observations import UNKNOWN, Request
from tidegate.demo.openloop import OpenLoop, Pace

RATE = 40.0


@dataclass(frozen=True)
class Stream:
    """Rows to send and what the weather then did; sent in a circle."""

    rows: Sequence[str]
    labels: Sequence[int]

    def row(self, index: int) -> tuple[str, int]:
        """Return the row and the label of request number `index`."""
        place = index % len(self.rows)
        return self.rows[place], self.labels[place]


def weather() -> Stream:
    """Return the days that no model was trained on."""
    from model_containers.training import replay

    chosen = replay.REPLAY
    return Stream(replay.rows(chosen.start, chosen.stop), replay.labels(chosen.start, chosen.stop))


class Sender:
    """Sends one request and records what came of it.

    Parameters
    ----------
    ask
        Sends a row and says what was answered.
    stream
        What is sent.
    record
        Takes each outcome.
    pace
        Time.
    """

    def __init__(self, ask: Ask, stream: Stream, record: Callable[[Request], None], pace: Pace) -> None:
        self._ask = ask
        self._stream = stream
        self._record = record
        self._pace = pace

    def __call__(self, index: int, due: float) -> None:
        """Send request number `index`."""
        row, label = self._stream.row(index)
        sent = self._pace.now()
        try:
            outcome = self._outcome(index, row, label)
        except Exception as error:  # no answer, or a broken one: whatever it was, no request may go missing
            outcome = {"variant": UNKNOWN, "failure": type(error).__name__, "status": 0, "detail": str(error)}
        self._record(Request(due=due, sent=sent, done=self._pace.now(), index=index, **outcome))

    def _outcome(self, index: int, row: str, label: int) -> dict[str, Any]:
        outcome = dict(self._ask(index, row))
        if PREDICTION in outcome:
            outcome["right"] = outcome.pop(PREDICTION)["rain"] == label
        return outcome


class Traffic:
    """The running traffic; a context that ends when the last answer is in.

    Then `handed_out` says how many requests there were, and `ended` when the traffic was told to stop.
    """

    def __init__(self, sender: Sender, pace: Pace, rate: float = RATE) -> None:
        self._pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="sender")
        self._loop = OpenLoop(rate, sender, self._pool, pace)
        self._pace = pace
        self._thread = Thread(target=self._run, name="traffic", daemon=True)
        self.handed_out = 0
        self.ended = 0.0

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def _run(self) -> None:
        self.handed_out = self._loop.run()

    def __exit__(self, *_: object) -> None:
        self.ended = self._pace.now()
        self._loop.stop()
        self._thread.join()
        self._pool.shutdown(wait=True)
