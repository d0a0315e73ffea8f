"""Which candidate becomes the challenger: the one that does best on rows later than those it learnt from.

The newest training rows are cut into blocks. For each block, each candidate learns from what came before it and answers
it. The blocks lie within the rows since the drift where these are enough: what the challenger will meet is like them.
"""

import logging
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .candidates import Candidate, candidates, learnable, probabilities
from .checkpoints import Checkpoints
from .job import StepError
from .tables import Rows

LOGGER = logging.getLogger(__name__)
BLOCKS = 2
VALIDATED_SHARE = 0.5
LEAST_BLOCK = 75
"""Rows of a block, below which chance would choose."""


@dataclass(frozen=True)
class Choice:
    """The candidate that is to be the challenger.

    Parameters
    ----------
    candidate
        It.
    scores
        Mean squared error of each candidate's probabilities over all blocks (Brier score); None where it could not be
        fitted to the rows before some block.
    validated
        The rows of the blocks.
    answers
        The chosen candidate's probabilities of them, each made without having seen the row or any later one.
    """

    candidate: Candidate
    scores: dict[str, float | None]
    validated: Rows
    answers: NDArray[np.float64]


def choose(rows: Rows, since: float | None, checkpoints: Checkpoints) -> Choice:
    """Compare the candidates; what a checkpoint has is not done again.

    Raises
    ------
    StepError
        If no candidate can be fitted.
    """
    cuts = _cuts(rows, since)
    answers: dict[Candidate, NDArray[np.float64] | None] = {}
    for candidate in candidates(since):
        blocks = [_block(candidate, rows, since, first, last, checkpoints) for first, last in pairwise(cuts)]
        whole = [block for block in blocks if block is not None]
        answers[candidate] = np.concatenate(whole) if len(whole) == BLOCKS else None
    validated = rows.between(cuts[0], cuts[-1])
    scores = {each: _brier(given, validated) for each, given in answers.items()}
    able = {each: score for each, score in scores.items() if score is not None}
    if not able:
        raise StepError(
            f"{len(rows)} training rows are too few, or too alike, to fit any candidate before its validation; widen "
            "the time span"
        )
    best = min(able, key=lambda each: (able[each], each.name))
    LOGGER.info("chosen: %s of %s", best.name, {each.name: score for each, score in scores.items()})
    chosen = answers[best]
    assert chosen is not None
    return Choice(best, {each.name: score for each, score in scores.items()}, validated, chosen)


def _cuts(rows: Rows, since: float | None) -> list[int]:
    """Return the positions where blocks begin, and the end."""
    size = len(rows)
    recent = size if since is None else int((rows.at >= since).sum())
    span = int(recent * VALIDATED_SHARE)
    if span < BLOCKS * LEAST_BLOCK:
        span = int(size * VALIDATED_SHARE)
    return [size - span + span * block // BLOCKS for block in range(BLOCKS + 1)]


def _block(
    candidate: Candidate, rows: Rows, since: float | None, first: int, last: int, checkpoints: Checkpoints
) -> NDArray[np.float64] | None:
    key = f"{candidate.name} / {first}-{last}"
    if key in checkpoints:
        return _array(checkpoints.get(key))
    before = candidate.chosen(rows.between(0, first), since)
    answer = None
    if learnable(before):
        answer = probabilities(candidate.fitted(before), rows.between(first, last).values)
    checkpoints.put(key, None if answer is None else answer.tolist())
    return answer


def _array(kept: Any) -> NDArray[np.float64] | None:
    return None if kept is None else np.array(kept, dtype=np.float64)


def _brier(answers: NDArray[np.float64] | None, rows: Rows) -> float | None:
    return None if answers is None else float(((answers - rows.labels) ** 2).mean())


def shown(scores: dict[str, float | None]) -> dict[str, float | str]:
    """Return scores for a model card."""
    return {name: "could not be fitted" if score is None else round(score, 4) for name, score in scores.items()}
