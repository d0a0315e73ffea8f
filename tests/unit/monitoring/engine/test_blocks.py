"""A file in blocks of whole lines."""

import io
from random import Random

import pytest

from lambdas.monitoring.capture.lines import lines_of
from model_containers.monitoring.blocks import blocks_of
from model_containers.monitoring.text import Text


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_lines_are_those_of_the_careful_path(size: int) -> None:
    random = Random(1)
    content = b"".join(random.choice([b"abc", b"\n", b" ", b"\r\n", b"x" * 50, b"\t", b"yz\n"]) for _ in range(900))
    found = [
        block.line(number)[:41]
        for block in map(Text, blocks_of(io.BytesIO(content), size, longest=40))
        for number in range(len(block))
    ]
    wanted = list(lines_of([content], longest=40))
    assert found == wanted or size > 40  # within one block, longer lines are left whole
    if size == 1:
        assert max(map(len, found)) == 41


def test_a_line_beyond_the_longest_is_dropped_as_it_comes() -> None:
    content = b"a\n" + b"x" * 10_000 + b"\nb\n"
    blocks = list(blocks_of(io.BytesIO(content), 4, longest=100))
    assert max(map(len, blocks)) < 250
    assert blocks[-1] == b"b\n"
