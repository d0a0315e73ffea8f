"""Inputs with a few bytes changed: what a grammar would never say."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from bench.fuzz.inputs import Input

TOKENS = (
    b"NaN", b"nan", b"-Infinity", b"1e999", b"-0", b"0x10", b"1_0", b"1e-400", b"\xd9\xa1", b"9" * 40,
    b"0." + b"9" * 400, b"null", b"true", b"{}", b"[]", b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\",
    b"\\u0000", b"\\ud800", b"\n",
    b"\r", b"\r\n", b"\x00", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1c", b"\xe2\x80\xa8", b"[" * 2000,
    b'{"a":' * 500,
    b'"instances"', b'"columns"', b'"inputs"', b'"shape"', b'"data"', b"18446744073709551616", b"-1",
    b"\x7f\xff\xff\xff", b"\x93NUMPY", b"<f8", b"|O", b"'shape': (", b"\xff\xff\xff\xff", b"\x00\x00\xc0\x7f",
    b"\x00\x00\x80\x7f",
)  # fmt: skip
CHANGES = (1, 1, 1, 2, 4)
ENLARGED_SHARE, ENLARGED_BYTES = 0.004, 200_000
"""A few become so large that the container reads them aside, in another thread."""

ODD_HEADER_SHARE = 0.05
DATA_ONLY_SHARE = 0.6
ODD_VALUES = (
    "", "*/*", "text/csv", "application/json", "application/x-npy", "application/jsonlines", "0", "-1", "1" * 30, "x",
    "text/csv;q=0", "application/*;q=nan, text/csv", ";;;,,,", "TEXT/CSV ; charset=\xff", "\xe9" * 1500,
    "application/vnd.sagemaker-triton.binary+json;json-header-size=", "application/octet-stream",
    "application/vnd.sagemaker-triton.binary+json;json-header-size=99999999999999999999",
)  # fmt: skip

Change = Callable[[bytes, Random], bytes]


def mutant(given: Input, other: Input, chance: Random) -> Input:
    """Return an input with some of its body, and at times a header, changed; `other` may lend a piece."""
    if given.json_size is not None and chance.random() < DATA_ONLY_SHARE:
        # What goes wrong in the JSON is found first: to change the tensors alone lets more come as far as those.
        tail = _mutated(given.body[given.json_size :], other.body, chance)
        return replace(given, body=given.body[: given.json_size] + tail)
    return replace(given, headers=_headers(given, chance), body=_mutated(given.body, other.body, chance))


def _mutated(body: bytes, other: bytes, chance: Random) -> bytes:
    for _ in range(chance.choice(CHANGES)):
        body = chance.choice(_CHANGES)(body, chance)
    if chance.random() < 0.1:
        body = body[: _place(body, chance)] + other[_place(other, chance) :]
    if body and chance.random() < ENLARGED_SHARE:
        body = _enlarged(body, chance)
    return body


def _headers(given: Input, chance: Random) -> tuple[tuple[str, str], ...]:
    if not given.headers or chance.random() > ODD_HEADER_SHARE:
        return given.headers
    changed = list(given.headers)
    place = chance.randrange(len(changed))
    changed[place] = (changed[place][0], chance.choice(ODD_VALUES))
    return tuple(changed)


def _place(body: bytes, chance: Random) -> int:
    return chance.randint(0, len(body))


def _slice(body: bytes, chance: Random) -> tuple[int, int]:
    start = _place(body, chance)
    return start, min(len(body), start + chance.choice((1, 1, 2, 4, 8, 32)))


def _flip(body: bytes, chance: Random) -> bytes:
    if not body:
        return b"\x00"
    place = chance.randrange(len(body))
    return body[:place] + bytes([body[place] ^ (1 << chance.randrange(8))]) + body[place + 1 :]


def _digit(body: bytes, chance: Random) -> bytes:
    """Change one digit: often the body is still read, and the model sees another number."""
    places = [place for place, byte in enumerate(body[:2000]) if 48 <= byte <= 57]
    if not places:
        return _flip(body, chance)
    place = chance.choice(places)
    return body[:place] + b"%d" % chance.randint(0, 9) + body[place + 1 :]


def _insert_token(body: bytes, chance: Random) -> bytes:
    place = _place(body, chance)
    return body[:place] + chance.choice(TOKENS) + body[place:]


def _put_token(body: bytes, chance: Random) -> bytes:
    start, stop = _slice(body, chance)
    return body[:start] + chance.choice(TOKENS) + body[stop:]


def _insert_rubbish(body: bytes, chance: Random) -> bytes:
    place = _place(body, chance)
    return body[:place] + chance.randbytes(chance.randint(1, 16)) + body[place:]


def _delete(body: bytes, chance: Random) -> bytes:
    start, stop = _slice(body, chance)
    return body[:start] + body[stop:]


def _repeat(body: bytes, chance: Random) -> bytes:
    start, stop = _slice(body, chance)
    return body[:stop] + body[start:stop] * chance.choice((1, 2, 10, 300)) + body[stop:]


def _cut(body: bytes, chance: Random) -> bytes:
    return body[: _place(body, chance)]


def _all_rubbish(_body: bytes, chance: Random) -> bytes:
    return chance.randbytes(chance.randint(0, 200))


def _enlarged(body: bytes, chance: Random) -> bytes:
    start = chance.randrange(len(body))
    piece = body[start : start + chance.randint(1, 200)]
    return body[:start] + piece * (ENLARGED_BYTES // len(piece)) + body[start:]


_CHANGES: tuple[Change, ...] = (
    _digit, _digit, _digit, _digit, _flip, _flip, _insert_token, _insert_token, _put_token, _put_token,
    _insert_rubbish,
    _delete, _delete, _repeat, _cut, _all_rubbish,
)  # fmt: skip
