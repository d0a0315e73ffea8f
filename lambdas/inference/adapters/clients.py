"""Clients of AWS's services, for functions that somebody waits for.

They are botocore's: boto3 makes the same ones, and importing it for that is half of a cold start.
"""

import functools
from typing import Any


@functools.cache
def session() -> Any:
    """Return the session that all clients are made by, so that what they share is read once."""
    import botocore.session

    return botocore.session.get_session()


def make(service: str, *, connect: float, read: float, connections: int = 2) -> Any:
    """Make a client.

    It repeats nothing by itself: what is worth repeating is known where it is called.

    Parameters
    ----------
    service
        botocore's name of it.
    connect, read
        Seconds to wait for a connection, and for an answer.
    connections
        How many it keeps; a function handles one request at a time.
    """
    from botocore.config import Config

    config = Config(
        connect_timeout=connect,
        read_timeout=read,
        retries={"mode": "standard", "total_max_attempts": 1},
        tcp_keepalive=True,
        max_pool_connections=connections,
    )
    return session().create_client(service, config=config)


class Lazy:
    """A client that is made when first called.

    Parameters
    ----------
    service, connect, read
        As of `make`.
    """

    def __init__(self, service: str, *, connect: float, read: float) -> None:
        self._make = functools.cache(functools.partial(make, service, connect=connect, read=read))

    def __call__(self) -> Any:
        """Return the client."""
        return self._make()
