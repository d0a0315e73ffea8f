from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tidegate import cli, labels, views
from tidegate.commands.labels import read_file
from tidegate.console import make_console
from tidegate.errors import UsageError
from tidegate.labels import Label
from tidegate.settings import EndpointSettings

NOON = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)


def test_labels_lie_as_ground_truth_by_the_hour(account: Any, endpoint: EndpointSettings) -> None:
    (uri,) = labels.put(account.aws, endpoint, [Label("day-1", "1"), Label("day-2", "0")], NOON)
    folder = f"s3://{endpoint.artefact_bucket}/labels/rain-local/2026/03/04/12/"
    assert uri.startswith(folder)
    assert uri.endswith(".jsonl")
    lines = [json.loads(line) for line in account.s3.objects[uri].decode().splitlines()]
    assert lines[0] == {
        "groundTruthData": {"data": "1", "encoding": "CSV"},
        "eventMetadata": {"eventId": "day-1"},
        "eventVersion": "0",
    }
    assert [line["eventMetadata"]["eventId"] for line in lines] == ["day-1", "day-2"]


def test_the_same_labels_twice_lie_there_once(account: Any, endpoint: EndpointSettings) -> None:
    once = labels.put(account.aws, endpoint, [Label("a", "1")], NOON)
    assert labels.put(account.aws, endpoint, [Label("a", "1")], NOON) == once
    assert labels.put(account.aws, endpoint, [Label("a", "0")], NOON) != once
    assert len(account.s3.objects) == 2


def test_labels_that_are_told_later_come_later_by_name(account: Any, endpoint: EndpointSettings) -> None:
    told = [
        labels.put(account.aws, endpoint, [Label("a", str(n))], NOON + timedelta(seconds=700 * n)) for n in range(9)
    ]
    assert told == sorted(told)


def test_many_labels_become_several_files(
    account: Any, endpoint: EndpointSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "LINES_A_FILE", 3)
    given = [Label(f"day-{index}", "1") for index in range(7)]
    uris = labels.put(account.aws, endpoint, given, NOON)
    assert [account.s3.objects[uri].count(b"\n") for uri in uris] == [3, 3, 1]


def test_csv_and_json_lines_are_read() -> None:
    assert labels.read("when,inference_id,label\nnow,a, 1\nnow,b,wet\n", "f") == [Label("a", "1"), Label("b", "wet")]
    assert labels.read('{"inference_id": "a", "label": 1}\n\n{"inference_id":"b","label":"0"}', "f") == [
        Label("a", "1"),
        Label("b", "0"),
    ]


def test_a_request_labelled_twice_alike_counts_once() -> None:
    assert labels.read("inference_id,label\na,1\na,1\n", "f") == [Label("a", "1")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,label\na,1\n", "no column inference_id"),
        ("inference_id\na\n", "no column label"),
        ("", "no column inference_id and no column label"),
        ("inference_id,label\n", "holds no labels"),
        ("inference_id,label\n,1\n", "line 2: the inference id '' has 0 characters"),
        (f"inference_id,label\n{'x' * 65},1\n", "65 characters"),
        ("inference_id,label\na,\n", "line 2: the label '' has 0 characters"),
        ("inference_id,label\na,1\nb,1\na,0\n", "lines 2 and 4 label 'a' '1' and '0'"),
        ('{"inference_id": "a"}', "labels.csv, line 1 has no label: "),
        ('{"label": 1}', "line 1 has no inference_id: "),
        ("{}", "line 1 has no inference_id and no label: "),
        ('{"inference_id": "a", "label": true}', "neither text nor a number"),
        ('{"inference_id": "a", "label": 1}\n{"inference_id": ', "line 2 is not JSON: "),
        ('{"inference_id": "a", "label": 1}\n7', "line 2 is not a JSON object: '7'"),
        ('[{"inference_id": "a", "label": 1}]', "labels.csv is a JSON array"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        labels.read(text, "labels.csv")
    assert said in raised.value.message
    assert raised.value.hint
    assert "Error(" not in raised.value.message


def test_an_array_is_told_that_lines_are_wanted() -> None:
    with pytest.raises(UsageError) as raised:
        labels.read('\n[\n{"inference_id": "a", "label": 1}\n]', "labels.json")
    assert "each of its objects on a line of its own" in raised.value.hint


def test_what_is_shown_of_a_line_is_shown_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text('{"inference_id": "[red]a[/red] :key:", "label": [1]}\n')
    assert cli.main(["labels", "put", "--file", str(file)]) == 2
    said = capsys.readouterr().err
    assert "the label is neither text nor a number" in said
    assert '"[red]a[/red] :key:", "label": [1]' in said


def test_tables_show_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    table = views.empty_table("what")
    table.add_row("[red]a[/red] :key:")
    make_console().print(table)
    assert "[red]a[/red] :key:" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.csv cannot be read"):
        read_file(tmp_path / "nowhere.csv")
    latin = tmp_path / "latin.csv"
    latin.write_bytes(b"inference_id,label\n\xe9,1\n")
    with pytest.raises(UsageError, match="is not UTF-8"):
        read_file(latin)
