"""Labels by the id of their request; what cannot be used has a reason."""

import json
from typing import Any

import pytest

from lambdas.monitoring.capture.labels import Labels, read_label
from lambdas.monitoring.capture.reasons import UnreadableError


def line(data: Any = "1", encoding: Any = "CSV", identity: Any = "r1") -> bytes:
    truth = {"data": data, "encoding": encoding}
    return json.dumps({"groundTruthData": truth, "eventMetadata": {"eventId": identity}, "eventVersion": "0"}).encode()


@pytest.mark.parametrize(
    ("data", "encoding", "value"),
    [
        ("1", "CSV", "1"),
        ("1\n0\n", "CSV", "1,0"),
        (" 1 , 0", "CSV", "1,0"),
        ("[1, 0]", "JSON", "1,0"),
        (True, "JSON", "1"),
        ("MQ==", "BASE64", "1"),
        ("true", "JSON", "1"),
    ],
)
def test_values(data: Any, encoding: str, value: str) -> None:
    assert read_label(line(data, encoding)) == ("r1", value)


@pytest.mark.parametrize(
    ("reason", "broken"),
    [
        ("no_id", line(identity="")),
        ("no_id", line(identity=None)),
        ("no_label", line(data=None)),
        ("no_label", line(data="  ")),
        ("unknown_encoding", line(encoding="XML")),
        ("wrong_form", line(data="{", encoding="JSON")),
        ("wrong_form", line(data='{"a": 1}', encoding="JSON")),
        ("wrong_form", line(data="!", encoding="BASE64")),
        ("wrong_form", line(data=5, encoding="BASE64")),
        ("truncated", line()[:-5]),
        ("not_a_record", b"3"),
    ],
)
def test_lines_that_cannot_be_used_have_a_reason(reason: str, broken: bytes) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_label(broken)
    assert caught.value.reason == reason
    labels = Labels()
    labels.read_file(iter([broken]), "file")
    assert dict(labels.refused) == {f"label_{reason}": 1}


def test_the_last_label_counts_and_a_contradiction_is_counted() -> None:
    labels = Labels()
    labels.read_file(iter([line("1"), line("1"), line("0")]), "file")
    assert (labels.values, dict(labels.refused)) == ({"r1": "0"}, {"label_conflicting": 1})


def test_what_an_earlier_look_accounts_for_is_not_counted_again() -> None:
    labels = Labels()
    labels.read_file(iter([line("1"), b"{", line("0")]), "file", fresh=False)
    labels.read_file(iter([line("0")]), "newer")
    assert (labels.values, dict(labels.refused), labels.fresh) == ({"r1": "0"}, {}, {"r1"})
