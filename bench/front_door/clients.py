"""A few clients that ask one thing after another while something else happens."""

import threading

from tidegate.demo.asking import Ask
from tidegate.demo.observations import Request
from tidegate.demo.openloop import WallPace
from tidegate.demo.traffic import Sender, weather

_PAUSE_SECONDS = 0.05
_APART = 1_000_000


class Clients:
    """So many clients, each with at most one request under way; a context, at whose end `requests` holds all.

    Parameters
    ----------
    ask
        The way.
    count
        How many clients.
    """

    def __init__(self, ask: Ask, count: int) -> None:
        self.requests: list[Request] = []
        self._pace = WallPace()
        self._send = Sender(ask, weather(), self.requests.append, self._pace)
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(each * _APART,)) for each in range(count)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def _run(self, index: int) -> None:
        while not self._done.wait(_PAUSE_SECONDS):
            self._send(index, self._pace.now())
            index += 1

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()
