"""The echoing server and a client of it, that end with the test."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.containers.http1.echo import LARGE, Client, Server


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.end()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    client = Client(server.port)
    yield client
    with suppress(OSError):
        client.socket.close()


@pytest.fixture
def roomy() -> Iterator[Server]:
    """A server that takes bodies of which most is received without the parser."""
    server = Server(LARGE)
    yield server
    server.end()
