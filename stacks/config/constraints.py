"""What a field's type alone cannot say; both the reader and the JSON schema take it from the annotation."""

import re
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True)
class Refused:
    """Why something is not allowed, and the way out."""

    reason: str
    way_out: str


@runtime_checkable
class Constraint(Protocol):
    """What a field's annotation adds to its type."""

    def refusal(self, value: Any) -> Refused | None:
        """Say what is allowed if `value` is not, else None."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema keywords for this."""


@dataclass(frozen=True)
class Between:
    """A number from `least` to `most`."""

    least: float
    most: float

    def refusal(self, value: Any) -> Refused | None:
        """Say what is allowed if `value` is not, else None."""
        if self.least <= value <= self.most:
            return None
        way_out = f"raise it to {self.least:.15g}" if value < self.least else f"lower it to {self.most:.15g}"
        return Refused(f"it must be from {self.least:.15g} to {self.most:.15g}", way_out)

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema keywords for this."""
        return {"minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Matching:
    """A text that matches `pattern` as a whole; `form` says so in words, and `example` is one."""

    pattern: str
    form: str
    example: str

    def refusal(self, value: Any) -> Refused | None:
        """Say what is allowed if `value` is not, else None."""
        if re.fullmatch(self.pattern, value):
            return None
        return Refused(f"it must be {self.form}", f"write it like {self.example}")

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema keywords for this."""
        return {"pattern": f"^(?:{self.pattern})$"}


@dataclass(frozen=True)
class AtLeastOne:
    """A list that is not empty."""

    def refusal(self, value: Any) -> Refused | None:
        """Say what is allowed if `value` is not, else None."""
        return None if len(value) else Refused("it must have at least one entry", "add one")

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema keywords for this."""
        return {"minItems": 1}
