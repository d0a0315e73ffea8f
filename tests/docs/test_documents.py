"""The documents say what the code does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from localcloud.support import page

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_support_page_is_current() -> None:
    assert (ROOT / "docs" / "local-support.md").read_text() == page(), "run: make docs"


@pytest.mark.parametrize("document", PAGES, ids=lambda path: path.name)
def test_links_and_paths_lead_somewhere(document: Path) -> None:
    text = document.read_text()
    links = [link.partition("#")[0] for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text)]
    paths = re.findall(
        r"`((?:stacks|lambdas|localcloud|tidegate|model_containers|environments|docs|tests)/[\w./-]+)`", text
    )
    missing = [each for each in links if each and not (document.parent / each).exists()]
    missing += [each for each in paths if not (ROOT / each).exists()]
    assert missing == []


def test_make_targets_that_documents_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in PAGES:
        code = re.findall(r"`(make [a-z -]+)`|^(make [a-z -]+)", document.read_text(), re.MULTILINE)
        named = {word for pair in code for words in pair for word in words.split()[1:]}
        assert named <= targets, document.name


def test_commands_that_documents_name_exist() -> None:
    text = "\n".join(document.read_text() for document in PAGES)
    shown = subprocess.run([sys.executable, "-m", "tidegate", "--help"], capture_output=True, text=True, check=True)
    for command in set(re.findall(r"tidegate (register|approve|reject|list|status|history|watch|local|\w+) ?-", text)):
        assert command in shown.stdout
