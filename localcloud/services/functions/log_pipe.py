"""What a worker process writes, line by line, as it comes."""

import os
import selectors
import threading
from collections.abc import Callable
from typing import IO


class LogPipe:
    """Reads a pipe on a thread of its own; `drain` reads at once what is there.

    Parameters
    ----------
    stream
        The process's output.
    take
        Called with every whole line.
    """

    def __init__(self, stream: IO[bytes], take: Callable[[str], None]) -> None:
        self._stream = stream
        self._take = take
        self._rest = b""
        self._lock = threading.Lock()
        self._open = True
        os.set_blocking(stream.fileno(), False)
        self._thread = threading.Thread(target=self._follow, name="localcloud-function-log", daemon=True)
        self._thread.start()

    def drain(self) -> None:
        """Take all that has been written so far: an invocation's lines, before its END."""
        with self._lock:
            while self._open and self._read():
                pass

    def _follow(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._stream, selectors.EVENT_READ)
            while self._open:
                selector.select()
                self.drain()
        with self._lock:
            if self._rest:
                self._take(self._rest.decode(errors="replace"))
            self._stream.close()

    def _read(self) -> bool:
        try:
            data = os.read(self._stream.fileno(), 65536)
        except BlockingIOError:
            return False
        if not data:
            self._open = False
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line.decode(errors="replace"))
        return True
