"""The page on the serving container names what the code reads, and its commands run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from model_containers.serving.serving.bodies.formats import Formats
from model_containers.serving.serving.problems import ProblemError
from model_containers.serving.serving.settings import Settings
from model_containers.serving.serving.signature import Signature

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "serving.md").read_text()
SERVING = ROOT / "model_containers" / "serving"


class Environment(dict[str, str]):
    """An empty environment that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key: str, default: object = None) -> object:
        self.asked.add(key)
        return default


def test_every_variable_is_in_the_table_and_no_other() -> None:
    environment = Environment()
    Settings.from_environment(environment)

    named = set(re.findall(r"^\| `([A-Z_]+)`(?:, `([A-Z_]+)`)?", PAGE, re.MULTILINE))
    assert {name for pair in named for name in pair if name} == environment.asked


def test_every_format_is_in_the_table_and_no_other() -> None:
    fields = {
        "schema": 1,
        "tensor": "x",
        "columns": [{"name": "a", "dtype": "float32"}],
        "outputs": [],
        "sample": [[1]],
    }
    formats = Formats(Signature.from_dict(fields), 10)

    table = PAGE.partition("## Formats")[2].partition("A model is")[0]
    named = set(re.findall(r"`((?:application|text)/[\w-]+)`", table))
    with pytest.raises(ProblemError) as refused:
        formats.exchange("image/png", "")
    readable = set(refused.value.detail.partition("send one of ")[2].split(", "))
    assert named - {"application/vnd"} == readable


def test_the_digest_command_prints_what_the_settings_take(tmp_path: Path) -> None:
    archive = SERVING.parent / "bootstrap" / "rain" / "model.tar.gz"
    (tmp_path / "model.tar.gz").write_bytes(archive.read_bytes())

    command = [sys.executable, "-m", "serving", "digest", "--model-dir", str(tmp_path)]
    shown = subprocess.run(command, cwd=SERVING, capture_output=True, text=True, check=True).stdout

    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", shown)
    assert "python -m serving digest --model-dir" in PAGE
