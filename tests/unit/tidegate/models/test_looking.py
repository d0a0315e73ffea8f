"""models list, show and diff: what each says of versions, and what it does when something cannot be read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdas.rollout.episode import Episode
from tests.unit.tidegate.conftest import IMAGE, client_error
from tests.unit.tidegate.models.conftest import HELD_OUT, KEY, Run, Shelf, arn
from tests.unit.tidegate.states import IDLE, NOW, rolling
from tidegate.models import measured

CARD = {
    "purpose": "whether it rains",
    "measured_on": {"first_row": 8000, "last_row": 11999, "metrics": {"accuracy": 0.785, "auc": 0.84, "brier": 0.15}},
}
BASELINE = Path(__file__).resolve().parents[4] / "model_containers" / "bootstrap" / "rain" / "baseline.json"


def shown(run: Run, capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    assert run("models", *argv, "-o", "json") == 0
    return json.loads(capsys.readouterr().out)


def drawn(run: Run, capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert run("models", *argv) == 0
    return capsys.readouterr().out


def test_the_list_tells_what_each_is_worth_and_what_holds_it(
    shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = shelf.put("1.0.0", "card.json", CARD)
    shelf.add("1.0.0", ModelMetrics={"ModelQuality": {"Statistics": {"S3Uri": uri}}})
    shelf.retrained("1.1.0", "1.0.0")
    shelf.sign("1.1.0", b"")
    shelf.account.record(replace(IDLE, live=replace(IDLE.live, package_arn=arn(2))))
    first, second = shown(run, capsys, "list")
    assert (first["version"], first["accuracy"], first["signed"], first["champion"]) == ("1.0.0", 0.785, False, None)
    assert (second["accuracy"], second["signed"], second["champion"]) == (0.84, True, "1.0.0")
    assert second["marks"] == [{"kind": "live", "text": "it is live"}]
    table = drawn(run, capsys, "list")
    assert "0.7850" in table
    assert table.splitlines()[2].split()[-2:] == ["1.0.0", "live"]


def test_an_empty_registry_is_said_to_be(shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(run, capsys, "list") == []
    assert "no version is registered yet" in drawn(run, capsys, "list")


def test_a_version_whose_metrics_cannot_be_read_is_listed_without(
    shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.put("1.0.0", "card.json", CARD)
    shelf.add("1.0.0")
    assert shown(run, capsys, "list")[0]["accuracy"] == 0.785
    shelf.account.s3.denied = True
    assert shown(run, capsys, "list")[0]["accuracy"] is None


def test_everything_that_is_known_of_a_version(shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.account.deploy(signing_key=KEY)
    content = shelf.archive("1.1.0", [])
    shelf.retrained("1.1.0", "1.0.0", approval="Approved", ApprovalDescription="better by six points")
    shelf.put("1.1.0", "card.json", CARD)
    shelf.put("1.1.0", "baseline.json", BASELINE.read_bytes())
    shelf.sign("1.1.0", content)
    shelf.account.take_in(Episode(arn(1), NOW))
    rollout = rolling(version="1.1.0").rollout
    assert rollout is not None
    shelf.account.summarise("rain-local", rollout)
    found = shown(run, capsys, "show", "1.1.0")
    assert found["signature"]["status"] == "valid"
    assert found["metrics"] == {"accuracy": 0.84, "brier": 0.12}
    assert found["compared"]["champion"]["accuracy"] == 0.78
    assert found["compared"]["rows"] == HELD_OUT
    assert found["checks"]["passed"] is True
    assert found["card"]["purpose"] == "whether it rains"
    assert found["changelog"].startswith("# rain-local 1.1.0")
    assert found["lineage"] == {
        "champion": "1.0.0",
        "run": "run-00001-abc",
        "data": "s3://tidegate-local-artefacts/retraining/captures.manifest",
        "commit": "c0ffee",
        "execution": "arn:execution",
    }
    assert found["approvals"]["reason"] == "better by six points"
    assert found["approvals"]["taken_in"]["outcome"] == "accepted"
    assert [each["id"] for each in found["rollouts"]] == ["260101-100000-003"]
    assert found["columns"]["temperature"]["kind"] == "number"
    assert found["unread"] == []
    page = drawn(run, capsys, "show", "1.1.0")
    for text in ("+0.0600 better", "-0.0400 better", "KMS says that it is valid", "whether it rains", "p = 0.0004"):
        assert text in page


def test_a_version_of_which_hardly_anything_is_known(
    shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.add("1.0.0")
    found = shown(run, capsys, "show", "1.0.0")
    assert (found["metrics"], found["compared"], found["card"], found["changelog"]) == ({}, None, None, None)
    assert (found["signature"]["status"], found["unread"]) == ("none", [])
    assert "none are known: register a version with --card" in drawn(run, capsys, "show", "1.0.0")


def test_what_may_not_be_read_is_told(shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.add("1.0.0")
    shelf.account.s3.denied = True
    assert any("not authorized" in each for each in shown(run, capsys, "show", "1.0.0")["unread"])
    assert "could not be read" in drawn(run, capsys, "show", "1.0.0")


def test_a_file_that_is_no_json_is_told(shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.add("1.0.0")
    shelf.put("1.0.0", "card.json", "{")
    shelf.put("1.0.0", "baseline.json", '{"schema_version": 77}')
    unread = shown(run, capsys, "show", "1.0.0")["unread"]
    assert any("it is no JSON" in each for each in unread)
    assert any("schema_version" in each for each in unread)


def test_an_unknown_version_is_told_with_a_way_out(shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.add("1.0.0")
    assert run("models", "show", "9") == 2
    said = capsys.readouterr().err
    assert "no version '9'; registered: 1.0.0" in said
    assert "python -m tidegate models list --env local --endpoint rain-local" in said


def signature(run: Run, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    found: dict[str, str] = shown(run, capsys, "show", "1.0.0")["signature"]
    return found


def test_a_file_that_was_changed_after_it_was_signed_is_found_out(
    shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.account.deploy(signing_key=KEY)
    shelf.add("1.0.0")
    shelf.sign("1.0.0", shelf.archive("1.0.0", []))
    assert signature(run, capsys)["status"] == "valid"
    shelf.put("1.0.0", "model.tar.gz", b"other weights")
    assert "it was changed" in signature(run, capsys)["text"]
    assert signature(run, capsys)["status"] == "invalid"


def test_a_signature_by_another_key_is_not_trusted(shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.account.deploy(signing_key=KEY)
    shelf.add("1.0.0")
    shelf.sign("1.0.0", shelf.archive("1.0.0", []), key="arn:aws:kms:us-east-1:666666666666:key/2")
    assert signature(run, capsys)["status"] == "invalid"
    assert f"the endpoint trusts {KEY} alone" in signature(run, capsys)["text"]


def test_a_signature_that_may_not_be_checked_is_said_to_be_unchecked(
    shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.add("1.0.0")
    shelf.sign("1.0.0", shelf.archive("1.0.0", []))
    assert "name no key to check it with" in signature(run, capsys)["text"]
    shelf.account.deploy(signing_key=KEY)
    shelf.account.kms.error = client_error("AccessDeniedException", "not authorized to perform: kms:Verify")
    assert signature(run, capsys)["status"] == "not checked"
    assert "kms:Verify" in signature(run, capsys)["text"]


COLUMN = {"name": "temperature", "dtype": "float32", "minimum": -40, "maximum": 60, "allow_missing": False}


def test_versions_that_were_compared_are_told_by_the_same_rows(
    shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.put("1.0.0", "card.json", CARD)
    shelf.add("1.0.0", image="other:two")
    shelf.retrained("1.1.0", "1.0.0")
    found = shown(run, capsys, "diff", "1.0.0", "1.1.0")
    assert found["comparable"] == "measured on the same rows"
    assert found["metrics"] == [
        {"name": "accuracy", "a": 0.78, "b": 0.84, "change": 0.06, "direction": "better"},
        {"name": "brier", "a": 0.16, "b": 0.12, "change": -0.04, "direction": "better"},
    ]
    back = shown(run, capsys, "diff", "1.1.0", "1.0.0")
    assert [(each["a"], each["direction"]) for each in back["metrics"]] == [(0.84, "worse"), (0.12, "worse")]
    assert [(each["what"], each["a"], each["b"]) for each in found["container"]] == [("Image", "other:two", IMAGE)]
    assert {each["what"] for each in found["lineage"]} == {"champion", "run", "data", "commit", "execution"}
    assert "+0.0600 better" in drawn(run, capsys, "diff", "1.0.0", "1.1.0")


@pytest.mark.parametrize(
    ("rows", "said"),
    [(8000, "measured on the same rows"), (0, "measured on different rows"), (None, "it is not known whether")],
)
def test_versions_that_were_not_compared(
    shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str], rows: int | None, said: str
) -> None:
    other = {**CARD, "measured_on": {**CARD["measured_on"], "first_row": rows}}  # type: ignore[dict-item]
    for version, card in (("1.0.0", CARD), ("1.1.0", other if rows is not None else {"metrics": {"accuracy": 0.9}})):
        shelf.put(version, "card.json", card)
        shelf.add(version)
    assert shown(run, capsys, "diff", "1.0.0", "1.1.0")["comparable"].startswith(said)


def test_inputs_that_differ_are_told_from_signature_and_training_data(
    shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.add("1.0.0")
    shelf.add("1.1.0")
    shelf.archive("1.0.0", [COLUMN, {"name": "pressure"}], outputs=["rain"])
    shelf.archive("1.1.0", [{**COLUMN, "maximum": 70}, {"name": "snow"}], outputs=["rain", "snow"])
    baseline = json.loads(BASELINE.read_bytes())
    shelf.put("1.0.0", "baseline.json", baseline)
    baseline["columns"][0]["maximum"] += 100
    shelf.put("1.1.0", "baseline.json", baseline)
    found = shown(run, capsys, "diff", "1.0.0", "1.1.0")["inputs"]
    told = {(each["where"], each["subject"], each["what"]): (each["a"], each["b"]) for each in found}
    assert told["signature", "temperature", "maximum"] == (60, 70)
    assert told["signature", "pressure", "column"] == ("there", "missing")
    assert told["signature", "snow", "column"] == ("missing", "there")
    assert told["signature", "", "outputs"] == (["rain"], ["rain", "snow"])
    (bounds,) = [values for (where, _, _), values in told.items() if where == "training data"]
    assert bounds[1] == pytest.approx(bounds[0] + 100)
    assert "temperature (signature)" in drawn(run, capsys, "diff", "1.0.0", "1.1.0")


def test_columns_in_another_order_are_a_difference(shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    columns = [COLUMN, {"name": "pressure"}]
    for version, ordered in (("1.0.0", columns), ("1.1.0", columns[::-1])):
        shelf.add(version)
        shelf.archive(version, ordered)
    (found,) = shown(run, capsys, "diff", "1.0.0", "1.1.0")["inputs"]
    assert (found["what"], found["b"]) == ("order", ["pressure", "temperature"])


def test_an_archive_that_cannot_be_read_is_told(shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    shelf.add("1.0.0")
    shelf.add("1.1.0")
    shelf.put("1.0.0", "model.tar.gz", b"no archive")
    found = shown(run, capsys, "diff", "1.0.0", "1.1.0")
    assert "signature.json could not be read from it" in found["unread"][0]
    assert found["inputs"] == []


@pytest.mark.parametrize(
    ("name", "change", "direction"),
    [
        ("accuracy", 0.1, "better"),
        ("accuracy", -0.1, "worse"),
        ("brier", -0.1, "better"),
        ("log_loss", 0.1, "worse"),
        ("accuracy", 0.0, "same"),
        ("milliseconds", 1.0, "changed"),
    ],
)
def test_which_way_is_better(name: str, change: float, direction: str) -> None:
    assert measured.direction(name, change) == direction


def test_the_bootstrap_model_is_said_to_be_in_no_registry(
    shelf: Shelf, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.account.declare("retraining", bootstrap={"version": "0.9.0"})
    for version in ("bootstrap", "0.9.0"):
        assert run("models", "show", version) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert f"{version} is the bootstrap model, which the template brought; it is not in the registry" in said
    assert run("models", "show", "0.9.1") == 2
    assert "has no version '0.9.1'" in capsys.readouterr().err
    shelf.add("0.9.0")
    assert run("models", "pin", "0.9.0", "--reason", "why") == 0
