"""HTTP/1.1 for a server that answers whole bodies: httptools reads, and an answer is written in one go.

Written for this container because an ASGI server takes about twice as long for the HTTP of a small request: it makes a
task, two messages and two writes for each answer. Nothing is streamed here, so none of that is needed.
"""

from .connection import LARGEST_HEAD, STRAIGHT_BYTES, Connection
from .front import Front
from .request import Handler, Reply, Request

__all__ = ["LARGEST_HEAD", "STRAIGHT_BYTES", "Connection", "Front", "Handler", "Reply", "Request"]
