"""The fast path counts what the careful path counts, whatever a file holds."""

import io
import json
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.monitoring.capture import counting as careful
from lambdas.monitoring.capture.lines import lines_of
from lambdas.monitoring.capture.reading import Reading
from model_containers.monitoring import counting
from model_containers.monitoring.counting import count_file

sys.path.insert(0, str(Path(__file__).parent))
import captures

FORMS = [
    *(("csv", encoding, rows) for encoding in ("BASE64", "CSV") for rows in (1, 3)),
    *((form, encoding, rows) for form in ("lists", "records") for encoding in ("BASE64", "JSON") for rows in (1, 2)),
]
READING = captures.reading()


@pytest.fixture(autouse=True)
def small_batches_are_fast_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this the careful path would count most of what these tests make, and agree with itself."""
    monkeypatch.setattr(counting, "LEAST_BATCH", 1)


def both(data: bytes, reading: Reading, block_bytes: int = 20_000) -> tuple[Any, Any]:
    slow, fast = captures.window(reading), captures.window(reading)
    by_line = careful.count_file(lines_of([data]), captures.WHERE, slow, reading)
    by_block = count_file(io.BytesIO(data), captures.WHERE, fast, reading, block_bytes)
    assert by_line == by_block
    return rounded(slow.to_json()), rounded(fast.to_json())


def rounded(value: Any) -> Any:
    """Return JSON with numbers of nine digits: sums are added in another order."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("form", "encoding", "rows"), FORMS)
def test_clean_files_of_every_form_are_counted_alike(form: str, encoding: str, rows: int) -> None:
    random = Random(3)
    data = b"\n".join(captures.line(number, random, form, encoding, rows) for number in range(120))
    labels = {f"id-{number}": ",".join(random.choice(["0", "1", "true"]) for _ in range(rows)) for number in range(80)}
    reading = captures.reading(slices=("colour", "age"), labels=labels, versions={"AllTraffic": "1.0.0"})
    slow, fast = both(data, reading)
    assert slow == fast
    assert fast["rows"] == 120 * rows
    assert fast["performance"]["labelled"] == 80 * rows


@pytest.mark.parametrize(("form", "encoding", "rows"), FORMS)
def test_clean_lines_do_not_go_to_the_careful_path(
    form: str, encoding: str, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(4)
    data = b"\n".join(captures.line(number, random, form, encoding, rows) for number in range(200))
    sent: list[bytes] = []
    monkeypatch.setattr(careful, "count_file", lambda lines, *_: sent.extend(lines) or careful.FileCount())
    count_file(io.BytesIO(data), captures.WHERE, captures.window(READING), READING)
    assert sent == []


def test_one_bad_body_sends_few_lines_to_the_careful_path(monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(5)
    lines = [captures.line(number, random) for number in range(1000)]
    lines[700] = captures.line(700, random).replace(b'"data":"', b'"data":"!', 1)
    sent: list[bytes] = []
    original = careful.count_file

    def count(lines: Any, *more: Any) -> Any:
        told = list(lines)
        sent.extend(told)
        return original(told, *more)

    monkeypatch.setattr(careful, "count_file", count)
    window = captures.window(READING)
    count_file(io.BytesIO(b"\n".join(lines)), captures.WHERE, window, READING)
    assert lines[700] in sent
    assert len(sent) <= 2
    assert dict(window.malformed) == {"bad_base64": 1}
    assert window.malformed.examples("bad_base64")[0].line == 701


CELLS = [
    "", "1", "-0.0", "+3", "1e400", "nan", "-nan", "NaN", "inf", "-Infinity", " 2 ", "1_0", "0x1", "NA", "null", "red",
    "dark blue", " red", "red ", "naïve", "\u00a0red", '"1"', '"red"', "1.7976931348623159e308", "٣", "1\t", "age",
    "colour", "a\rb", "\x00", "12345678901234567890", "0.1", "4.9e-324", "--1", ".5", "5.", "true", "(rare)", "\ufeff1",
    "x" * 150,
]  # fmt: skip
GOOD_ROW = ["41.5", "red", "0.25"]


def with_cell(place: int, cell: str) -> list[str]:
    """Return a good row but for one cell; beyond its end, a row that is too long, and at -1 one too short."""
    if place < 0:
        return GOOD_ROW[:2]
    return [*GOOD_ROW[:place], cell, *GOOD_ROW[place + 1 :]]


ROWS = st.lists(st.builds(with_cell, st.integers(-1, 3), st.sampled_from(CELLS)), max_size=3)
JSON_CELLS = [None, 1, 1.5, -0.0, "red", True, "", 10**400, 2**64, [1], {"a": 1}, "1", float("nan"), "\ud800"]
JSON_BODIES = st.one_of(
    st.lists(st.lists(st.sampled_from(JSON_CELLS), min_size=3, max_size=3), max_size=3).map(
        lambda rows: {"instances": rows}
    ),
    st.lists(st.sampled_from(JSON_CELLS), min_size=2, max_size=4).map(lambda row: [row]),
    st.fixed_dictionaries(
        {
            "age": st.sampled_from(JSON_CELLS),
            "colour": st.sampled_from(JSON_CELLS),
            "height": st.sampled_from(JSON_CELLS),
        },
        optional={"weight": st.just(1)},
    ).map(lambda record: {"instances": [record]}),
    st.sampled_from([{}, [], {"instances": 3}, {"columns": {"age": [1], "colour": ["red"], "height": [2]}}, None]),
)
ENDS = st.sampled_from(["", "\n", "\r\n", "\n\n", "\n \n"])


@st.composite
def dirty_lines(draw: st.DrawFn) -> bytes:
    random = Random(draw(st.integers(0, 2**32)))
    number = draw(st.integers(0, 50))
    kind = draw(st.sampled_from(["clean", "csv", "csv", "json", "time", "cut", "raw", "answer", "meta", "space"]))
    line = captures.line(number, random, draw(st.sampled_from(["csv", "csv", "lists"])))
    record = json.loads(line)
    captured = record["captureData"]
    encoding = draw(st.sampled_from(["BASE64", "CSV"]))
    if kind in ("csv", "answer"):
        rows = draw(ROWS)
        body = "\n".join(map(",".join, rows)) + draw(ENDS)
        where = "endpointOutput" if kind == "answer" else "endpointInput"
        captured[where] = captures.part(body, "text/csv", encoding)
    elif kind == "json":
        body = json.dumps(draw(JSON_BODIES))
        captured["endpointInput"] = captures.part(body, "application/json", draw(st.sampled_from(["BASE64", "JSON"])))
    elif kind == "time":
        at = draw(
            st.sampled_from(["", "soon", "2026-11-18T09:00:00Z", "2027-11-18T09:00:00Z", "2026-11-18T11:06:40+01:00"])
        )
        record["eventMetadata"]["inferenceTime"] = at
    elif kind == "meta":
        record["eventMetadata"] |= draw(
            st.sampled_from(
                [{"variant": "green"}, {"inferenceId": None}, {"modelVersion": "2.0.0"}, {"eventId": 'a"b'}]
            )
        )
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=draw(st.booleans())).encode(errors="replace")
    if kind == "cut":
        return text[: draw(st.integers(0, len(text)))]
    if kind == "raw":
        return draw(
            st.sampled_from(
                [b"", b"  ", b"\t", b"{}", b"[1]", b"\xff\xfe", b'{"a":"\x01"}', b"null", b'"', text + b"\r"]
            )
        )
    return b" " + text if kind == "space" else text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    dirty=st.lists(dirty_lines(), max_size=12),
    seed=st.integers(0, 1000),
    block_bytes=st.sampled_from([300, 20_000, 1_000_000]),
    fresh=st.sampled_from([None, {}, {captures.WHERE: captures.START + captures.SECONDS}]),
)
def test_dirty_files_are_counted_alike(
    dirty: list[bytes], seed: int, block_bytes: int, fresh: dict[str, float] | None
) -> None:
    random = Random(seed)
    lines = [captures.line(number, random) for number in range(60)]
    for line in dirty:
        lines.insert(random.randrange(len(lines)), line)
    labels = {f"id-{number}": random.choice(["0", "1", "1,0", "maybe"]) for number in range(40)}
    reading = captures.reading(slices=("colour", "height", "gone"), labels=labels, fresh=fresh)
    slow, fast = both(b"\n".join(lines), reading, block_bytes)
    assert slow == fast


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("encoding", ["BASE64", "CSV"])
def test_one_odd_cell_is_counted_alike(cell: str, encoding: str) -> None:
    random = Random(8)
    for place in range(4):
        lines = [captures.line(number, random, "csv", encoding) for number in range(24)]
        for number, ending in ((5, ""), (17, "\n")):
            record = json.loads(lines[number])
            body = ",".join(with_cell(place, cell)) + ending
            record["captureData"]["endpointInput"] = captures.part(body, "text/csv", encoding)
            lines[number] = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()
        slow, fast = both(b"\n".join(lines), READING)
        assert slow == fast


@pytest.mark.parametrize(
    "body", ["41.5,red", "41.5,red\n1,blue,2", "\n", "", "41.5,red,1,2", "41.5,red,1\n\n2,red,3", ",,"]
)
def test_one_odd_body_is_counted_alike(body: str) -> None:
    random = Random(8)
    lines = [captures.line(number, random) for number in range(24)]
    for number in (5, 17, 23):
        record = json.loads(lines[number])
        record["captureData"]["endpointInput"] = captures.part(body, "text/csv", "BASE64")
        lines[number] = json.dumps(record, separators=(",", ":")).encode()
    slow, fast = both(b"\n".join(lines), READING)
    assert slow == fast


@pytest.mark.parametrize(
    "odd", [b"event-000\x01000", b"event-000\xff000", b"event\\u002d00", b'event-000"000', b"event-00\\0000"]
)
@pytest.mark.parametrize("also", [b"inferenceId", b"gone"])
def test_one_odd_id_is_counted_alike(odd: bytes, also: bytes) -> None:
    random = Random(8)
    lines = [captures.line(number, random).replace(b'"inferenceId"', b'"%s"' % also) for number in range(24)]
    lines[9] = lines[9].replace(b"event-0000000", odd)
    labels = {"event-009": "1"} | {f"event-{number:08}": "1" for number in range(24)}
    slow, fast = both(b"\n".join(lines), captures.reading(labels=labels))
    assert slow == fast


@pytest.mark.parametrize(
    "answer", ["0.5,", "0.5,1.0", ",", ",1.0", "nan,1.0", "0.7,nan", "1.5,", "-0.0,0", "0.499,", "0.5", "0.5,1\n0.5,1"]
)
def test_one_odd_answer_is_counted_alike(answer: str) -> None:
    random = Random(8)
    lines = [captures.line(number, random) for number in range(24)]
    for number in (5, 17):
        record = json.loads(lines[number])
        record["captureData"]["endpointOutput"] = captures.part(answer, "text/csv", "BASE64")
        lines[number] = json.dumps(record, separators=(",", ":")).encode()
    labels = {f"id-{number}": "1" for number in range(24)}
    slow, fast = both(b"\n".join(lines), captures.reading(labels=labels, slices=("colour",)))
    assert slow == fast


def test_ids_are_told_alike() -> None:
    random = Random(6)
    data = b"\n".join(
        [
            *(captures.line(n, random) for n in range(50)),
            *(captures.line(n, random, "lists", "JSON") for n in range(50, 90)),
        ]
    )
    told: dict[str, list[str]] = {"slow": [], "fast": []}
    careful.count_file(
        lines_of([data]), captures.WHERE, captures.window(READING), captures.reading(see=told["slow"].append)
    )
    count_file(io.BytesIO(data), captures.WHERE, captures.window(READING), captures.reading(see=told["fast"].append))
    assert sorted(told["slow"]) == sorted(told["fast"]) == sorted(f"id-{n}" for n in range(90))
