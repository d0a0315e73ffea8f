"""How an object becomes the payloads that a model is sent, of which one at a time is in memory."""

from collections.abc import Iterator
from typing import BinaryIO

MEGABYTE = 1024 * 1024


class PayloadTooLargeError(Exception):
    """A record, or an object that is not split, is larger than a payload may be."""


def payloads(file: BinaryIO, most: int, *, by_line: bool, many: bool) -> Iterator[bytes]:
    """Yield the payloads of an object.

    Parameters
    ----------
    file
        The object.
    most
        Bytes of a payload at the most.
    by_line
        Whether a line is a record; else the object is one.
    many
        Whether a payload holds as many records as it can (MultiRecord), or one (SingleRecord).
    """
    if not by_line:
        yield _checked(file.read(most + 1), most, "the object")
    elif many:
        yield from _filled(file, most)
    else:
        yield from _lines(file, most)


def _filled(file: BinaryIO, most: int) -> Iterator[bytes]:
    held, size = list[bytes](), 0
    for line in _lines(file, most):
        if held and size + len(line) > most:
            yield b"".join(held)
            held, size = [], 0
        held.append(line)
        size += len(line)
    if held:
        yield b"".join(held)


def _lines(file: BinaryIO, most: int) -> Iterator[bytes]:
    number = 0
    while line := file.readline(most + 1):
        number += 1
        yield _checked(line, most, f"line {number}")


def _checked(record: bytes, most: int, what: str) -> bytes:
    if len(record) > most:
        raise PayloadTooLargeError(f"{what} is larger than MaxPayloadInMB ({most / MEGABYTE:g}) allows")
    return record
