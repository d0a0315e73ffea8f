"""Who is next: order among small requests, and fairness between small and large ones."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model_containers.serving.serving.batching.backlog import Backlog
from model_containers.serving.serving.batching.ticket import Part, Ticket


def ticket(rows: int) -> Ticket:
    return Ticket(np.zeros((rows, 1)), None, 0.0, 0.0)


def filled(most: int, *sizes: int) -> tuple[Backlog, list[Ticket]]:
    backlog, tickets = Backlog(most), [ticket(size) for size in sizes]
    for each in tickets:
        backlog.add(each)
    return backlog, tickets


def everybody(_ticket: Ticket) -> bool:
    return True


def sizes(parts: list[Part]) -> list[int]:
    return [part.count for part in parts]


def test_small_requests_are_served_in_the_order_of_arrival_and_never_split():
    backlog, tickets = filled(8, 3, 4, 2, 1)

    first, _ = backlog.batch(everybody)
    second, _ = backlog.batch(everybody)

    assert [part.ticket for part in first] == tickets[:2]
    assert [part.ticket for part in second] == tickets[2:]
    assert not backlog


def test_a_large_request_alone_fills_whole_batches():
    backlog, _ = filled(8, 20)

    assert [sizes(backlog.batch(everybody)[0]) for _ in range(3)] == [[8], [8], [4]]
    assert not backlog


def test_a_large_request_leaves_half_of_each_batch_to_small_ones():
    backlog, [large, *small] = filled(8, 100, *[1] * 12)

    batches = [backlog.batch(everybody)[0] for _ in range(3)]

    assert [[part.count for part in parts if part.ticket in small] for parts in batches] == [[1] * 4, [1] * 4, [1] * 4]
    assert [[part.count for part in parts if part.ticket is large] for parts in batches] == [[4], [4], [4]]


def test_a_crowd_of_small_requests_leaves_half_of_each_batch_to_a_large_one():
    backlog, [*small, large] = filled(8, *[1] * 100, 12)

    batches = [backlog.batch(everybody)[0] for _ in range(3)]

    assert [sum(part.count for part in parts if part.ticket is large) for parts in batches] == [4, 4, 4]
    assert len(small) - sum(len(parts) - 1 for parts in batches) == 88


def test_large_requests_take_turns():
    backlog, tickets = filled(4, 8, 8, 8)

    order = [backlog.batch(everybody)[0][0].ticket for _ in range(6)]

    assert order == tickets * 2


def test_whoever_is_not_awaited_any_more_takes_no_room():
    backlog, [gone, stays, gone_too, gone_large] = filled(4, 2, 1, 2, 9)

    parts, dropped = backlog.batch(lambda each: each is stays)

    assert [part.ticket for part in parts] == [stays]
    assert {*dropped} == {gone, gone_too, gone_large}
    assert not backlog


def test_what_has_failed_is_not_run_on():
    backlog, [large] = filled(4, 9)
    backlog.batch(everybody)

    backlog.drop(large)

    assert not backlog


@given(st.integers(2, 16), st.lists(st.integers(1, 60), max_size=40))
def test_every_row_is_run_once_and_in_order_and_no_batch_is_too_large_or_needlessly_small(most, counts):
    backlog, tickets = filled(most, *counts)
    runs: dict[Ticket, list[tuple[int, int]]] = {each: [] for each in tickets}

    while backlog:
        waiting = backlog.rows(10**9)
        parts, _ = backlog.batch(everybody)
        assert parts
        assert sum(sizes(parts)) <= most
        # Room for less than half a batch is left only because the next small request does not fit in.
        assert sum(sizes(parts)) > most // 2 or sum(sizes(parts)) == waiting
        for part in parts:
            runs[part.ticket].append((part.start, part.start + part.count))

    for each, count in zip(tickets, counts, strict=True):
        starts, stops = zip(*runs[each], strict=True)
        assert (0, *stops) == (*starts, count)
