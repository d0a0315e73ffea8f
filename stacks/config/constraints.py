"""What a field's type alone cannot say; both the reader and the JSON schema take it from the annotation."""

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Between:
    """A number from `least` to `most`."""

    least: float
    most: float

    def refusal(self, value: Any) -> str | None:
        """Say what is allowed if `value` is not, else None."""
        return None if self.least <= value <= self.most else f"it must be from {self.least:g} to {self.most:g}"

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema keywords for this."""
        return {"minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Matching:
    """A text that matches `pattern` as a whole; `form` says so in words."""

    pattern: str
    form: str

    def refusal(self, value: Any) -> str | None:
        """Say what is allowed if `value` is not, else None."""
        return None if re.fullmatch(self.pattern, value) else f"it must be {self.form}"

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema keywords for this."""
        return {"pattern": f"^(?:{self.pattern})$"}


@dataclass(frozen=True)
class AtLeastOne:
    """A list that is not empty."""

    def refusal(self, value: Any) -> str | None:
        """Say what is allowed if `value` is not, else None."""
        return None if len(value) else "it must have at least one entry"

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema keywords for this."""
        return {"minItems": 1}


Constraint = Between | Matching | AtLeastOne
