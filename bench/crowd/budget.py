"""What may be used, and the model of what is not simulated: `bench/budget.yaml`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parents[1] / "budget.yaml"


@dataclass(frozen=True)
class Limit:
    """A line of the budget: at most so much a second, or so much at once, by whose word."""

    api: str
    source: str
    per_second: float | None = None
    at_once: float | None = None


@dataclass(frozen=True)
class Model:
    """How long things take, in seconds."""

    calls: dict[str, float]
    processor: float
    cold_start: float
    event: float
    update: tuple[float, float]
    weights: tuple[float, float]

    def call(self, api: str) -> float:
        """Return how long a call takes."""
        return self.calls.get(api, self.calls["other"])


@dataclass(frozen=True)
class Budget:
    """The file."""

    limits: dict[str, Limit]
    model: Model

    @classmethod
    def load(cls, path: Path = FILE) -> "Budget":
        """Read the file."""
        data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        model = data["model"]
        return cls(
            {line["api"]: Limit(**line) for line in data["limits"]},
            Model(
                calls={api: value / 1000 for api, value in model["call_milliseconds"].items()},
                processor=model["processor_milliseconds_a_call"] / 1000,
                cold_start=model["cold_start_seconds"],
                event=model["event_seconds"],
                update=(model["update_seconds"][0], model["update_seconds"][1]),
                weights=(model["weights_seconds"][0], model["weights_seconds"][1]),
            ),
        )
