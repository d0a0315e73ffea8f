"""The job takes a subject's rows out of Parquet files, and nothing else."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lambdas.contract import AUDIT_COLUMNS
from model_containers.monitoring import __main__ as command
from model_containers.monitoring import erasing
from model_containers.monitoring.errors import JobError

TYPES = {"string": pl.String, "int": pl.Int32, "double": pl.Float64}
COLUMNS = {name: TYPES[kind] for name, kind in AUDIT_COLUMNS.items()}


def rows(*subjects: str | None) -> pl.DataFrame:
    """Return an audit of predictions about some subjects."""
    values = {
        "id": [f"p-{number}" for number in range(len(subjects))],
        "subject": list(subjects),
        "status": [200] * len(subjects),
        "latency_ms": [1.5] * len(subjects),
        "input": ['[{"x":1}]'] * len(subjects),
    }
    return pl.DataFrame({name: values.get(name, [None] * len(subjects)) for name in COLUMNS}, schema=COLUMNS)


class Folders:
    """What the job is given, and what it leaves."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.audit = root / "processing" / "input" / "audit"
        self.outputs = root / "processing" / "output"
        self.audit.mkdir(parents=True)
        self.ask("ana")

    def ask(self, subject: Any, schema: int = 1) -> None:
        folder = self.root / "processing" / "input" / "request"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "request.json").write_text(json.dumps({"schema": schema, "subject": subject}))

    def put(self, name: str, frame: pl.DataFrame) -> None:
        path = self.audit / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(path, compression="snappy")

    def run(self) -> dict[str, Any]:
        assert erasing.run(self.root) == 0
        found: dict[str, Any] = json.loads((self.outputs / "report" / "report.json").read_text())
        return found

    def erased(self) -> dict[str, pl.DataFrame]:
        folder = self.outputs / "erased"
        return {
            path.relative_to(folder).as_posix(): pl.read_parquet(path) for path in folder.rglob("*") if path.is_file()
        }


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def test_only_the_subjects_rows_go_and_only_their_files_are_written(folders: Folders) -> None:
    folders.put("2026/11/22/03/a.parquet", rows("ana", "ben", None, "ana", "anabel", "Ana", ""))
    folders.put("2026/11/22/04/b.parquet", rows("ben", None))
    report = folders.run()
    (name, left), *others = folders.erased().items()
    assert not others
    assert name == "2026/11/22/03/a.parquet"
    assert left["subject"].to_list() == ["ben", None, "anabel", "Ana", ""]
    assert left["id"].to_list() == ["p-1", "p-2", "p-4", "p-5", "p-6"]
    assert (report["files"], report["rows"], report["unreadable"]) == (2, 9, [])
    content = (folders.outputs / "erased" / name).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert report["changed"] == [{"name": name, "erased": 2, "left": 5, "sha256": digest}]


def test_columns_and_types_stay(folders: Folders) -> None:
    folders.put("a.parquet", rows("ana", "ben"))
    folders.run()
    assert dict(folders.erased()["a.parquet"].schema) == COLUMNS


def test_of_a_file_about_nobody_else_an_empty_one_is_left(folders: Folders) -> None:
    folders.put("a.parquet", rows("ana", "ana"))
    report = folders.run()
    (left,) = folders.erased().values()
    assert (left.height, dict(left.schema)) == (0, COLUMNS)
    assert report["changed"][0]["left"] == 0


def test_once_erased_nothing_is_left_to_do(folders: Folders) -> None:
    folders.put("a.parquet", rows("ana", "ben"))
    folders.run()
    again = Folders(folders.root / "again")
    for name, frame in folders.erased().items():
        again.put(name, frame)
    assert again.run()["changed"] == []
    assert again.erased() == {}


def test_files_of_other_forms_are_told_or_left_alone(folders: Folders) -> None:
    (folders.audit / "manifest.txt").write_text("ana")
    (folders.audit / "cut.parquet").write_bytes(b"PAR1 and then nothing")
    folders.put("older.parquet", pl.DataFrame({"id": ["ana"]}))
    report = folders.run()
    assert report["unreadable"] == ["cut.parquet", "manifest.txt"]
    assert (report["files"], report["rows"], report["changed"]) == (3, 1, [])


@pytest.mark.parametrize("folder", ["id=3", "subject=ana"])
def test_names_of_folders_are_no_columns(folders: Folders, folder: str) -> None:
    folders.put(f"{folder}/a.parquet", rows("ben"))
    assert folders.run()["changed"] == []


@pytest.mark.parametrize(("subject", "schema"), [("", 1), (3, 1), ("ana", 2)])
def test_a_request_that_names_nobody_is_refused(folders: Folders, subject: Any, schema: int) -> None:
    folders.put("a.parquet", rows("ana", None))
    folders.ask(subject, schema)
    assert erasing.run(folders.root) == 1
    assert "request.json" in (folders.root / "output" / "message").read_text()
    assert not (folders.outputs / "report").exists()


def test_a_missing_input_is_told(folders: Folders) -> None:
    folders.audit.rmdir()
    assert erasing.run(folders.root) == 1
    assert "give the job its input `audit`" in (folders.root / "output" / "message").read_text()


def test_a_file_that_is_not_what_it_should_be_replaces_nothing(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders.put("a.parquet", rows("ana", "ben"))
    monkeypatch.setattr(pl.DataFrame, "filter", lambda self, *_: self)
    with pytest.raises(JobError, match="nothing was replaced"):
        erasing.erase(folders.root / "processing" / "input", folders.outputs / "erased")


def test_it_is_a_command_of_the_image(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(erasing.ROOT_VARIABLE, str(folders.root))
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    folders.put("a.parquet", rows("ana"))
    assert command.main(["erase"]) == 0
    assert (folders.outputs / "report" / "report.json").is_file()
    with pytest.raises(SystemExit):
        command.main(["forget"])
    assert "model_containers.monitoring.job" in sys.modules
