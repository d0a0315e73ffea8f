"""Pages as tests read them: tables by their header, and text without line breaks."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


class Page:
    """A page of the documents.

    Parameters
    ----------
    name
        Of its file.
    """

    def __init__(self, name: str) -> None:
        self.text = (DOCS / name).read_text()
        self.flat = " ".join(self.text.split())

    def rows(self, header: str) -> list[list[str]]:
        """Return the cells of each row of the table whose first line begins with a header, without backticks."""
        _, found, rest = self.text.partition(f"\n| {header} |")
        assert found, f"there is no table with the header {header!r}"
        lines = rest.partition("\n\n")[0].splitlines()[2:]
        return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]

    def fields(self, command: str) -> list[str]:
        """Return the fields that a table of JSON names in its row of a command."""
        (found,) = [line for line in self.text.splitlines() if line.startswith(f"| {command}")]
        return re.findall(r"`([\w-]+)`", found.split("|")[2])

    def names(self, header: str) -> list[str]:
        """Return the first cells of a table, one name each."""
        return [name.strip() for row in self.rows(header) for name in row[0].split(",")]

    def commands(self) -> list[str]:
        """Return the arguments of every command line of `python -m tidegate` that is shown."""
        found = re.findall(r"python -m tidegate ([^`\n|(#]+)", self.text)
        return sorted({line.strip() for line in found})
