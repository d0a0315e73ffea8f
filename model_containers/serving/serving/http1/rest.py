"""The rest of a large body, received into the memory where it stays."""

import asyncio
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import Connection


class Rest(asyncio.BufferedProtocol):
    """Stands in for a connection while the rest of a large body comes.

    Parameters
    ----------
    connection
        Takes over again when all is there.
    body
        As long as it will be, and written to up to its rest.
    """

    def __init__(self, connection: "Connection", body: io.BytesIO) -> None:
        self._connection = connection
        self._missing = body.getbuffer()[body.tell() :]

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's
        """Return where to write."""
        return self._missing

    def buffer_updated(self, nbytes: int) -> None:
        """Read on."""
        self._connection.stay_active()
        self._missing = self._missing[nbytes:]
        if not self._missing:
            self._missing.release()
            self._connection.rest_received()

    def pause_writing(self) -> None:
        """Tell the connection."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Tell the connection."""
        self._connection.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the connection."""
        self._connection.connection_lost(exc)
