"""Counts of texts of which nobody knows how many there are: exact for those shown, bounded in memory."""

from collections.abc import Iterator, Mapping

from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.reading import Fields

SHOWN_TEXTS = 50
TEXT_CHARACTERS = 100


class TextCounts(Mapping[str, int]):
    """Mutable: how often each text came, for the `most` texts that are first in the order of the alphabet.

    Which texts stay does not depend on the order in which they come: a text that is among the first 50 of
    all is among the first 50 of every part that holds it. So the counts shown are exact, and merging is
    associative and commutative. `total` counts the others too.

    Parameters
    ----------
    most
        Texts to keep. Texts are cut to 100 characters.
    """

    __slots__ = ("_counts", "_last", "most", "total")

    def __init__(self, most: int = SHOWN_TEXTS) -> None:
        self.most = most
        self.total = 0
        self._counts: dict[str, int] = {}
        self._last = ""

    def __getitem__(self, text: str) -> int:
        return self._counts[text]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._counts))

    def __len__(self) -> int:
        return len(self._counts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TextCounts) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"TextCounts({dict(self)}, total={self.total})"

    def add(self, text: str, times: int = 1) -> None:
        """Count a text."""
        self.total += times
        text = text[:TEXT_CHARACTERS]
        if text in self._counts:
            self._counts[text] += times
        elif times and (len(self._counts) < self.most or text < self._last):
            self._insert(text, times)

    def most_common(self, number: int | None = None) -> list[tuple[str, int]]:
        """Return the texts that came most often of those kept, with their counts."""
        return sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))[:number]

    def merge(self, other: "TextCounts") -> "TextCounts":
        """Add another's counts to these, and return these."""
        total = self.total + other.total
        for text, times in other.items():
            self.add(text, times)
        self.total = total
        return self

    def to_json(self) -> dict[str, object]:
        """Return the counts for JSON."""
        return {"total": self.total, "counts": dict(self)}

    @classmethod
    def from_json(cls, value: object, where: str = "counts", most: int = SHOWN_TEXTS) -> "TextCounts":
        """Read counts; raises `ProfileError` where they are malformed."""
        fields = Fields(value, where)
        counts = cls(most)
        for text, times in fields.counts("counts").items():
            if len(text) > TEXT_CHARACTERS or not times:
                raise ProfileError(
                    fields.path("counts"), text, f"a text is at most {TEXT_CHARACTERS} characters, and came"
                )
            counts.add(text, times)
        total = fields.integer("total")
        if total < counts.total or len(counts) != len(fields.counts("counts")):
            raise ProfileError(
                fields.path("total"), total, f"it counts all texts, of which {most} are kept; make the file anew"
            )
        counts.total = total
        return counts

    def _insert(self, text: str, times: int) -> None:
        if len(self._counts) >= self.most:
            del self._counts[self._last]
        self._counts[text] = times
        self._last = max(self._counts)
