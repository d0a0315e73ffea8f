"""How good the model was on the baseline's rows, and which output says what."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.reading import Fields


@dataclass(frozen=True)
class OutputRoles:
    """Which output is what.

    Parameters
    ----------
    probability
        Output that is the probability of the positive class of a binary model; None for other models.
    prediction
        Output that is the predicted class; None to predict by the threshold.
    threshold
        Probability from which on the prediction is positive.
    """

    probability: str | None = None
    prediction: str | None = None
    threshold: float = 0.5

    def to_json(self) -> dict[str, object]:
        """Return the roles for JSON."""
        return {"probability": self.probability, "prediction": self.prediction, "threshold": self.threshold}

    @classmethod
    def from_json(cls, value: object, where: str = "output_roles") -> OutputRoles:
        """Read the roles; raises `ProfileError` where they are malformed."""
        fields = Fields(value, where)
        return cls(fields.optional_text("probability"), fields.optional_text("prediction"), fields.number("threshold"))


@dataclass(frozen=True)
class Quality:
    """Measured quality.

    Parameters
    ----------
    accuracy
        Share of the rows whose prediction was right, 0..1.
    brier
        Mean squared difference of probability and outcome; None without probabilities.
    rows
        Labelled rows, at least 1.
    chunk_accuracies
        Accuracy of successive equal chunks of the rows; empty where the rows are few.
    """

    accuracy: float
    brier: float | None
    rows: int
    chunk_accuracies: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        shares = (self.accuracy, *(() if self.brier is None else (self.brier,)), *self.chunk_accuracies)
        if not all(0 <= share <= 1 for share in shares) or self.rows < 1:
            raise ProfileError("quality", shares, "accuracies and the Brier score lie within 0..1, of at least one row")

    def merge(self, other: Quality) -> Quality:
        """Return the quality over both sets of rows; chunks' accuracies are sorted, for merged rows have no order."""
        rows = self.rows + other.rows
        right = round(self.accuracy * self.rows) + round(other.accuracy * other.rows)
        brier = None
        if self.brier is not None and other.brier is not None:
            brier = min((self.brier * self.rows + other.brier * other.rows) / rows, 1.0)
        return Quality(right / rows, brier, rows, tuple(sorted(self.chunk_accuracies + other.chunk_accuracies)))

    def to_json(self) -> dict[str, object]:
        """Return the quality for JSON."""
        chunks = list(self.chunk_accuracies)
        return {"accuracy": self.accuracy, "brier": self.brier, "rows": self.rows, "chunk_accuracies": chunks}

    @classmethod
    def from_json(cls, value: object, where: str = "quality") -> Quality:
        """Read the quality; raises `ProfileError` where it is malformed."""
        fields = Fields(value, where)
        brier, rows = fields.optional_number("brier"), fields.integer("rows", least=1)
        return cls(fields.number("accuracy"), brier, rows, fields.numbers("chunk_accuracies"))
