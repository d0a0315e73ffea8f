"""What is written down of a prediction."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from lambdas.contract import AUDIT_COLUMNS
from lambdas.inference.audit import LARGEST_BYTES, Prediction, line
from lambdas.inference.ports import Invoked
from lambdas.inference.settings import Audit


def test_a_record_says_who_was_answered_what_by_which_model(door: Any) -> None:
    door.predict([[1, 2]], caller="ann", subject="station-7")
    [record] = door.log.records
    assert list(record) == list(AUDIT_COLUMNS)
    assert json.loads(record.pop("input")) == [{"dew": 1.0, "wind": 2.0}]
    assert json.loads(record.pop("output")) == [{"by": "v1"}]
    assert len(record.pop("input_hash")) == 64
    assert record == {
        "record": "prediction",
        "id": "id-1",
        "at": "2027-01-15T08:00:00.000+00:00",
        "endpoint": "rain-local",
        "model_version": "v1",
        "model_key": "arn:v1",
        "variant": "blue",
        "client": "shop",
        "caller": "ann",
        "subject": "station-7",
        "answer_source": "model",
        "status": 200,
        "rows": 1,
        "latency_ms": 0.0,
    }


def test_what_was_not_answered_is_written_down_as_well(door: Any) -> None:
    door.problem([[1, 1000]])
    [record] = door.log.records
    assert (record["status"], record["input"], record["output"], record["model_version"]) == (422, None, None, "")


def test_answers_that_are_given_again_say_so(door: Any) -> None:
    door.predict()
    door.predict()
    assert [each["answer_source"] for each in door.log.records] == ["model", "cache"]


def test_without_an_audit_nothing_is_written(make_door: Any) -> None:
    door = make_door(audit=None)
    door.predict()
    assert door.log.records == []


def test_rows_are_left_out_unless_they_are_to_be_kept(make_door: Any) -> None:
    door = make_door(audit=Audit())
    door.predict()
    assert door.log.records[0]["input"] is None
    assert door.log.records[0]["input_hash"]


def test_the_same_input_has_the_same_hash_whatever_the_order_of_the_versions_columns(door: Any) -> None:
    door.predict([{"dew": 1, "wind": 2}])
    door.signatures.known = sys.modules["inference_serving_fakes"].signature("wind", "dew")
    door.predict([{"dew": 1, "wind": 2}])
    door.predict([{"dew": 2, "wind": 1}])
    first, second, other = [each["input_hash"] for each in door.log.records]
    assert first == second != other


def test_answers_are_kept_unless_they_are_not_to_be(make_door: Any) -> None:
    for audit, kept in ((Audit(), '[{"by":"v1"}]'), (Audit(keep_output=False), None)):
        door = make_door(audit=audit)
        door.predict()
        assert door.log.records[0]["output"] == kept


def test_redacted_columns_and_outputs_are_never_written(make_door: Any) -> None:
    door = make_door(audit=Audit(keep_input=True, redacted=frozenset({"dew", "by"})))
    door.predict([[77.25, 2]])
    [record] = door.log.records
    assert json.loads(record["input"]) == [{"dew": "[redacted]", "wind": 2.0}]
    assert json.loads(record["output"]) == [{"by": "[redacted]"}]
    assert "77.25" not in json.dumps(record)


def test_rows_whose_columns_nobody_knows_are_left_out_when_some_are_redacted(make_door: Any) -> None:
    door = make_door(audit=Audit(keep_input=True, redacted=frozenset({"dew"})))
    door.signatures.known = None
    door.predict([[77.25, 2]])
    door.predict([{"wind": 2}, [77.25, 2]])
    for record in door.log.records:
        assert "left_out" in json.loads(record["input"])


@pytest.mark.parametrize("output", [[[0.25, 77.25]], [{"by": 1}, [77.25]], [77.25]])
def test_an_answer_whose_outputs_nobody_names_is_left_out_when_some_may_be_redacted(output: Any) -> None:
    def kept(redacted: str, columns: Sequence[str] | None, outputs: Sequence[str] = ()) -> Any:
        prediction = Prediction(
            id="1",
            at=0,
            endpoint="e",
            client="c",
            caller="c",
            subject=None,
            status=200,
            latency_ms=1,
            output=output,
            columns=columns,
            outputs=outputs,
        )
        return json.loads(json.loads(line(prediction, Audit(redacted=frozenset(redacted.split()))))["output"])

    assert "left_out" in kept("odds", ["dew", "wind"])
    assert "left_out" in kept("odds dew", ["dew", "wind"])
    assert "left_out" in kept("dew", None)
    assert "left_out" in kept("dew", ["dew", "wind"], ["dew"])
    assert kept("odds", ["dew", "wind"], ["rain"]) == output
    # These are columns of the rows, and nobody calls an output so.
    assert kept("dew wind", ["dew", "wind"]) == output
    assert kept("", None) == output


@pytest.mark.parametrize(("outputs", "is_kept"), [(["rain"], True), (["dew"], False), ([], True)])
def test_what_the_versions_signature_calls_outputs_decides_about_answers_without_names(
    make_door: Any, monkeypatch: pytest.MonkeyPatch, outputs: list[str], is_kept: bool
) -> None:
    door = make_door(audit=Audit(redacted=frozenset({"dew"})))
    door.signatures.known = sys.modules["inference_serving_fakes"].signature("dew", "wind")
    door.signatures.known.outputs = tuple(outputs)
    monkeypatch.setattr(door.runtime, "invoke", lambda *_: Invoked('{"predictions": [77.25]}', "blue"))
    door.predict([[1, 2]])
    [record] = door.log.records
    assert ("77.25" in record["output"]) == is_kept


def test_what_is_redacted_is_so_within_other_columns_and_outputs(make_door: Any) -> None:
    door = make_door(audit=Audit(keep_input=True, redacted=frozenset({"dew"})))
    door.signatures.known = None
    door.predict([{"station": {"dew": 77.25, "wind": 2}, "days": [{"dew": 77.25}]}])
    assert json.loads(door.log.records[0]["input"]) == [
        {"station": {"dew": "[redacted]", "wind": 2}, "days": [{"dew": "[redacted]"}]}
    ]


@pytest.mark.parametrize(("rows", "predictions"), [(20_000, 1), (1, 20_000), (20_000, 20_000)])
def test_a_record_that_is_too_large_is_cut_and_says_so(rows: int, predictions: int) -> None:
    written = line(
        Prediction(
            id="1", at=0, endpoint="e", client="c", caller="c", subject=None, status=200, latency_ms=1,
            input=[[123456.0, 123456.0]] * rows, columns=("dew", "wind"), output=[{"by": 123456.0}] * predictions,
        ),
        Audit(keep_input=True),
    )  # fmt: skip
    assert len(written) <= LARGEST_BYTES
    assert "\n" not in written
    record = json.loads(written)
    assert ("left_out" in json.loads(record["output"])) == (predictions > 1)
    assert "left_out" in json.loads(record["input"]) or rows == 1


def test_a_caller_who_says_nothing_is_the_client(door: Any) -> None:
    door.predict()
    [written] = door.log.records
    assert written["caller"] == written["client"] == "shop"
