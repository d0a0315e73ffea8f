"""Answer files, read line by line however long they are.

Needs s3:GetObject below ``batch/<endpoint>/`` of the artefact bucket, with kms:Decrypt where that has a key of its own.
"""

from collections.abc import Callable, Iterator
from typing import Any

from lambdas.inference.adapters.clients import Lazy
from lambdas.inference.batch.loading import Line
from lambdas.rollout.adapters.failures import code_of, translated

_PIECE = 64 * 1024
_CONNECT, _READ = 2.0, 20.0
_BEHIND_THE_END = "InvalidRange"


class S3Lines:
    """Implements `lambdas.inference.batch.loading.Lines`."""

    def __init__(self, client: Callable[[], Any] | None = None) -> None:
        self._client = client or Lazy("s3", connect=_CONNECT, read=_READ)

    def lines(self, bucket: str, key: str, byte: int, longest: int) -> Iterator[Line]:
        """Yield the lines from a byte on, which is a line's first."""
        return split(self._pieces(bucket, key, byte), byte, longest)

    def _pieces(self, bucket: str, key: str, byte: int) -> Iterator[bytes]:
        from botocore.exceptions import ClientError

        with translated():
            try:
                body = self._client().get_object(Bucket=bucket, Key=key, Range=f"bytes={byte}-")["Body"]
            except ClientError as error:
                if code_of(error) == _BEHIND_THE_END:
                    return
                raise
        while True:
            with translated():
                piece = body.read(_PIECE)
            if not piece:
                return
            yield piece


def split(pieces: Iterator[bytes], byte: int, longest: int) -> Iterator[Line]:
    """Yield the lines in pieces of a file, the first of which begins at a byte; what is too long is not kept."""
    held, end, is_long = b"", byte, False
    for piece in pieces:
        *whole, rest = (held + piece).split(b"\n")
        for content in whole:
            end += len(content) + 1
            yield Line(None if is_long or len(content) > longest else content, end)
            is_long = False
        held = rest
        if len(held) > longest:
            end, held, is_long = end + len(held), b"", True
    if held or is_long:
        yield Line(None if is_long else held, end + len(held))
