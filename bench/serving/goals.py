"""What this container is to reach, judged by the table alone."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.serving.models import GPU, HEAVY, TINY
from bench.serving.rows import Bound, Row
from bench.serving.servers import BENTOML, CONTAINER, LITSERVE, RAW

SHARES = {(HEAVY, 64): 0.90, (GPU, 64): 0.72, (GPU, 192): 0.92}
"""The least share of the bare loop, by model and clients. The simulated GPU's ceiling at 64 is .76: with as many
clients as rows in a batch, they all wait for the same batch, and the GPU for them."""

OVER_ONE_CLIENT_S = 0.0004
TAIL_FACTOR = 1.6
TIMES = {BENTOML: 2.5, LITSERVE: 1.5}
COLD_S = 1.0


@dataclass(frozen=True)
class Goal:
    """A goal and what came of it.

    Parameters
    ----------
    name, cell
        What is judged, and where.
    wanted, got
        In words, with units.
    passed
        None when it was not measured.
    """

    name: str
    cell: str
    wanted: str
    got: str
    passed: bool | None


def judge(rows: Sequence[Row], bounds: Mapping[str, Bound]) -> list[Goal]:
    """Return every goal that the measured cells allow to judge."""
    ours = [row for row in rows if row.server == CONTAINER]
    peers = [row for row in rows if row.server not in (CONTAINER, RAW)]
    goals = [goal for row in ours for goal in _alone(row, bounds[row.model])]
    return (
        goals + [goal for row in ours if row.clients == 64 for goal in _against(row, peers)] + list(_cold(ours, bounds))
    )


def _alone(row: Row, bound: Bound) -> Iterator[Goal]:
    wanted = SHARES.get((row.model, row.clients))
    if wanted is not None:
        yield _at_least("share of raw ONNX Runtime", row, wanted, row.ratio_to_raw, "{:.2f}")
    if row.clients == 1:
        over = row.p50_ms - bound.single_s * 1e3
        yield _at_most("p50 over the model, one client", _cell(row), OVER_ONE_CLIENT_S * 1e3, over, "{:.2f} ms")
    # A tiny model's batch takes no time: its tail is HTTP's, of which this bound says nothing.
    if row.model != TINY:
        most = TAIL_FACTOR * math.ceil(row.clients / bound.best_batch) * bound.batch_s * 1e3
        yield _at_most("p99", _cell(row), most, row.p99_ms, "{:.1f} ms")


def _against(row: Row, peers: Sequence[Row]) -> Iterator[Goal]:
    for peer in peers:
        if (peer.model, peer.format, peer.clients) != (row.model, row.format, row.clients):
            continue
        least = max(TIMES.get(peer.server, 0.0), 1.0 if row.model == TINY else 0.0)
        if least:
            yield _at_least(f"times {peer.server}", row, least, row.rps / peer.rps, "{:.2f} x")


def _cold(ours: Sequence[Row], bounds: Mapping[str, Bound]) -> Iterator[Goal]:
    for model, bound in bounds.items():
        starts = sorted(row.cold_s for row in ours if row.model == model)
        if starts:
            over = starts[len(starts) // 2] - bound.load_s
            yield _at_most("cold start beyond loading the model", model, COLD_S, over, "{:.2f} s")


def _at_least(name: str, row: Row, wanted: float, got: float, form: str) -> Goal:
    return Goal(name, _cell(row), f">= {form.format(wanted)}", form.format(got), got >= wanted)


def _at_most(name: str, cell: str, wanted: float, got: float, form: str) -> Goal:
    return Goal(name, cell, f"<= {form.format(wanted)}", form.format(got), got <= wanted)


def _cell(row: Row) -> str:
    return f"{row.model}, {row.format}, {row.clients} client{'s' if row.clients > 1 else ''}"
