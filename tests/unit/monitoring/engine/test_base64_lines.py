"""Many texts in base64, decoded together."""

import base64
import binascii
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_containers.monitoring.base64_lines import decoded_lines
from model_containers.monitoring.pieces import Pieces

NOT_BASE64 = [b"QUJ=QUJD", b"Q===", b"====", b"QU=J", b"QUI!", b'QU"J', b"QU J", b"QUI\n", b"\xff\xffII"]


def pieces_of(texts: list[bytes]) -> Pieces:
    """Return texts as pieces of a block that holds other bytes between them, and in another order."""
    block, starts = b"<", {}
    for text in reversed(texts):
        starts[text] = len(block)
        block += text + b'="'
    places = np.asarray([starts[text] for text in texts], np.int64)
    return Pieces(block, places, places + np.asarray([len(text) for text in texts], np.int64))


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 12), min_size=1, max_size=4), count=st.integers(64, 200), seed=st.integers(0, 99))
def test_texts_are_decoded_in_their_order(sizes: list[int], count: int, seed: int) -> None:
    random = Random(seed)
    texts = [random.randbytes(random.choice(sizes)) for _ in range(count)]
    assert decoded_lines(pieces_of([base64.b64encode(text) for text in texts])) == b"\n".join(texts)


def test_more_than_is_decoded_at_once() -> None:
    texts = [Random(1).randbytes(size) for size in (50_000, 49_999, 49_998) for _ in range(20)]
    assert decoded_lines(pieces_of([base64.b64encode(text) for text in texts])) == b"\n".join(texts)


@pytest.mark.parametrize("bits", [b"QR==", b"QUJ="])
def test_bits_that_the_padding_cuts_off_do_not_matter(bits: bytes) -> None:
    assert decoded_lines(pieces_of([bits] * 20)) == b"\n".join([base64.b64decode(bits, validate=True)] * 20)


@pytest.mark.parametrize("place", [0, 10, 39])
@pytest.mark.parametrize("odd", NOT_BASE64)
def test_what_is_not_base64_is_refused(odd: bytes, place: int) -> None:
    with pytest.raises((binascii.Error, ValueError)):
        base64.b64decode(odd, validate=True)
    texts = [b"QUJDREVG"[: len(odd)]] * 40
    texts[place] = odd
    with pytest.raises(binascii.Error):
        decoded_lines(pieces_of(texts))


@pytest.mark.parametrize("texts", [[], [b""], [b"QUJD", b""], [b"QUJD", b"QUJDR"]])
def test_what_is_no_whole_groups_is_left(texts: list[bytes]) -> None:
    assert decoded_lines(pieces_of(texts)) is None


def test_texts_of_many_sizes_are_left() -> None:
    assert decoded_lines(pieces_of([base64.b64encode(b"x" * size) for size in range(1, 40)])) is None
