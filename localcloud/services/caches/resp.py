"""The protocol between clients and servers (RESP), as far as a gate between them reads it."""

import asyncio
from typing import Any

_MOST_ARGUMENTS = 1024 * 1024
_LONGEST_ARGUMENT = 512 * 1024 * 1024

Command = list[bytes]


class ProtocolError(Exception):
    """What a client sends is no command."""


async def read_command(reader: asyncio.StreamReader) -> Command:
    """Return a client's next command; raise `asyncio.IncompleteReadError` at the end.

    A command is an array of strings, or a line of words ("inline"), which may be empty.
    """
    line = (await reader.readuntil(b"\r\n"))[:-2]
    if not line.startswith(b"*"):
        return line.split()
    return [await _argument(reader) for _ in range(_number(line[1:], _MOST_ARGUMENTS))]


def encoded(command: Command) -> bytes:
    """Return a command as it is sent."""
    parts = [b"*%d\r\n" % len(command)]
    parts += [b"$%d\r\n%b\r\n" % (len(argument), argument) for argument in command]
    return b"".join(parts)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *command: str) -> Any:
    """Send a command and return its answer, if it is a text; raise `ProtocolError` if it is an error."""
    writer.write(encoded([argument.encode() for argument in command]))
    await writer.drain()
    line = (await reader.readuntil(b"\r\n"))[:-2]
    if line.startswith(b"-"):
        raise ProtocolError(line[1:].decode("utf-8", "replace"))
    if line.startswith(b"$"):
        return (await reader.readexactly(int(line[1:]) + 2))[:-2].decode()
    return line[1:].decode()


async def _argument(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n"))[:-2]
    if not head.startswith(b"$"):
        raise ProtocolError(f"expected '$', got {head[:1]!r}")
    length = _number(head[1:], _LONGEST_ARGUMENT)
    return (await reader.readexactly(length + 2))[:-2]


def _number(text: bytes, most: int) -> int:
    if not text.isdigit() or int(text) > most:
        raise ProtocolError(f"invalid length {text[:20]!r}")
    return int(text)
