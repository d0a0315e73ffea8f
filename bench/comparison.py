"""One ratio of a run, and what it means."""

from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any, Literal

NOISY_SPREAD = 0.2
"""When the middle half of the rounds spans more than this share of their median, the machine was too noisy."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was measured, as a ratio against a peer or a limit.

    Parameters
    ----------
    group
        The measurement it belongs to.
    subject, peer
        What stands over and under the line of the ratio.
    style
        Whether it reads as a share (40 %) or as a multiple (2.5 x).
    rounds
        The ratio of each round.
    meaning
        A sentence, with ``{ratio}`` where the number goes.
    details
        Medians that the ratio comes from, for the record only: they are this machine's.
    """

    group: str
    subject: str
    peer: str
    style: Literal["share", "multiple"]
    rounds: list[float]
    meaning: str
    details: dict[str, float]

    @property
    def ratio(self) -> float:
        """Return the median of the rounds."""
        return median(self.rounds)

    @property
    def spread(self) -> float:
        """Return how far the middle half of the rounds spans, as a share of their median."""
        lower, _, upper = quantiles(self.rounds, n=4, method="inclusive")
        return (upper - lower) / self.ratio

    @property
    def noisy(self) -> bool:
        """Whether the rounds lie too far apart for their median to be trusted."""
        return self.spread > NOISY_SPREAD

    @property
    def sentence(self) -> str:
        """Return what the ratio means."""
        return self.meaning.format(ratio=self.show(self.ratio))

    def show(self, ratio: float) -> str:
        """Return a ratio as it reads best."""
        if self.style == "multiple":
            return f"{ratio:.2f} x"
        return f"{ratio:.0%}".replace("%", " %") if ratio >= 0.1 else f"{ratio * 100:.1f} %"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            **asdict(self),
            "meaning": self.sentence,
            "ratio": self.ratio,
            "spread": self.spread,
            "noisy": self.noisy,
        }
