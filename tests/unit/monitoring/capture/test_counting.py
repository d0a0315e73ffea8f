"""Every line of a file is counted, or counted under a named reason."""

import base64
import json
import random
from typing import Any

import pytest

from lambdas.monitoring.capture import lines, records
from lambdas.monitoring.capture.counting import FileCount, count_file
from lambdas.monitoring.capture.lines import lines_of
from lambdas.monitoring.capture.reading import Reading, variant_of
from lambdas.monitoring.profile.window import WindowCounts

WHERE = "rain-test/blue/2026/11/22/03/a.jsonl"
ANSWER = {"probability": 0.75, "rain": 1.0}


@pytest.fixture(scope="module")
def baseline(fakes: Any) -> Any:
    return fakes.make_baseline(rows=1000)


@pytest.fixture
def count(fakes: Any, baseline: Any) -> Any:
    """Return a function that counts lines, and returns the counts and what became of the lines."""

    def counted(given: list[bytes], **options: Any) -> tuple[WindowCounts, FileCount]:
        into = WindowCounts.of(baseline, "rain-test", "2026-11-22T03:00:00Z", "2026-11-22T03:01:00Z")
        reading = Reading(**{"baseline": baseline, "start": fakes.START, "end": fakes.START + 60, **options})
        done = count_file(lines_of(iter([b"\n".join(given)])), WHERE, into, reading)
        assert done.lines == done.counted + done.malformed + done.late + done.elsewhere
        return into, done

    return counted


def good(fakes: Any, body: str = "1013,north", at: float = 1, **metadata: Any) -> bytes:
    return bytes(fakes.record("r", fakes.START + at, body, ANSWER, **metadata))


def changed(line: bytes, *path: str, to: Any) -> bytes:
    document = json.loads(line)
    place = document
    for name in path[:-1]:
        place = place[name]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return json.dumps(document).encode()


def test_a_good_line_is_counted_everywhere(fakes: Any, count: Any) -> None:
    into, done = count([good(fakes)], versions={"blue": "1.0.0"}, slices=("wind", "pressure"))
    assert done.counted == into.requests == into.rows == 1
    assert into.columns["wind"].counts["north"] == 1
    assert into.columns["pressure"].mean == 1013
    assert into.outputs["probability"].rows == into.confidence.rows == 1
    assert (into.performance.n, into.performance.predicted_positive, into.performance.calibrated_rows) == (1, 1, 1)
    assert (dict(into.variants), dict(into.versions)) == ({"blue": 1}, {"1.0.0": 1})
    assert into.slices["wind=north"].rows == 1
    assert sum(part.rows for name, part in into.slices.items() if name.startswith("pressure=")) == 1
    assert into.sample.rows == ((1013.0, "north"),)


def test_a_line_may_say_itself_who_answered(fakes: Any, count: Any) -> None:
    into, _ = count([good(fakes, variant="green", modelVersion="2.0.0")])
    assert (dict(into.variants), dict(into.versions)) == ({"green": 1}, {"2.0.0": 1})


INPUT = ("captureData", "endpointInput")
OUTPUT = ("captureData", "endpointOutput")


@pytest.mark.parametrize(
    ("reason", "broken"),
    [
        ("truncated", lambda line: line[:-30]),
        ("not_json", lambda line: b"{nonsense}"),
        ("not_json", lambda line: b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        ("not_utf8", lambda line: b'{"a": "\xff"}'),
        ("not_a_record", lambda line: b"[]"),
        ("not_a_record", lambda line: changed(line, "captureData", to=None)),
        ("not_a_record", lambda line: changed(line, *INPUT, "data", to=5)),
        ("no_input", lambda line: changed(line, *INPUT, to=None)),
        ("no_time", lambda line: changed(line, "eventMetadata", to=None)),
        ("no_time", lambda line: changed(line, "eventMetadata", "inferenceTime", to="yesterday")),
        ("unknown_encoding", lambda line: changed(line, *INPUT, "encoding", to="ZIP")),
        ("bad_base64", lambda line: changed(line, *INPUT, "data", to="!!!")),
        ("not_utf8", lambda line: changed(line, *INPUT, "data", to=base64.b64encode(b"\xff").decode())),
        ("unsupported_content_type", lambda line: changed(line, *INPUT, "observedContentType", to="application/x-npy")),
    ],
)
def test_a_bad_line_is_counted_under_its_reason(fakes: Any, count: Any, reason: str, broken: Any) -> None:
    into, done = count([good(fakes), broken(good(fakes)), good(fakes)])
    assert (dict(into.malformed), done.counted, done.malformed) == ({reason: 1}, 2, 1)
    [example] = into.malformed.examples(reason)
    assert (example.file, example.line, bool(example.why)) == (WHERE, 2, True)


@pytest.mark.parametrize(
    ("reason", "broken"),
    [
        ("answer_bad_base64", lambda line: changed(line, *OUTPUT, "data", to="!")),
        ("answer_count", lambda line: changed(line, *OUTPUT, "data", to=base64.b64encode(b"[[1,0],[1,0]]").decode())),
    ],
)
def test_a_bad_answer_does_not_lose_its_request(fakes: Any, count: Any, reason: str, broken: Any) -> None:
    into, done = count([broken(good(fakes))])
    assert (dict(into.malformed), done.counted, into.rows) == ({reason: 1}, 1, 1)
    assert into.outputs["rain"].rows == into.performance.n == 0


def test_a_line_that_is_too_long_is_named_and_not_kept(fakes: Any, count: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LONGEST", 1000)
    into, _ = count([good(fakes), b"{" + b" " * 2000 + b"}"])
    assert dict(into.malformed) == {"too_long": 1}


def test_lines_in_pieces_are_the_same_lines() -> None:
    content = b"one\r\n\n  \ntwo\n" + b"3" * 50 + b"\nfour"
    for size in (1, 3, 7, 1000):
        pieces = [content[at : at + size] for at in range(0, len(content), size)]
        assert list(lines_of(iter(pieces), longest=20)) == [b"one\r", b"two", b"3" * 21, b"four"]


def test_an_endless_line_takes_no_memory() -> None:
    import tracemalloc

    tracemalloc.start()
    [line] = lines_of((b"x" * 100_000 for _ in range(500)), longest=200_000)
    assert len(line) == 200_001
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    assert lines.LONGEST > 25 * 1024 * 1024 * 4 / 3


def test_what_belongs_to_other_windows_is_left_to_them(fakes: Any, count: Any) -> None:
    outside = [good(fakes, at=-1), good(fakes, at=60), good(fakes, at=7200)]
    _, done = count([*outside, b"{"], fresh={})
    assert (done.elsewhere, done.late, done.malformed) == (4, 0, 0)
    into, done = count([*outside, b"{"], fresh={WHERE: fakes.START + 70})
    assert (done.elsewhere, done.late, into.late) == (1, 1, 1)
    assert dict(into.malformed) == {"in_the_future": 1, "truncated": 1}


def test_labels_are_joined_on_the_inference_id_or_else_the_event_id(fakes: Any, count: Any) -> None:
    unnamed = changed(good(fakes), "eventMetadata", "inferenceId", to=None)
    into, _ = count([good(fakes), unnamed, unnamed], labels={"r": "1", "event-r": "0.0", "other": "1"})
    performance = into.performance
    assert (performance.labelled, performance.tp, performance.fp) == (3, 1, 2)
    assert performance.brier_sum == pytest.approx(0.25**2 + 2 * 0.75**2)


def test_a_request_of_several_rows_needs_as_many_labels(fakes: Any, count: Any) -> None:
    answers = base64.b64encode(json.dumps([ANSWER, ANSWER]).encode()).decode()
    several = changed(good(fakes, "1013,north\n1000,south"), *OUTPUT, "data", to=answers)
    into, _ = count([several], labels={"r": "1,0"})
    assert (into.rows, into.requests, into.performance.tp, into.performance.fp) == (2, 1, 1, 1)
    into, _ = count([several], labels={"r": "1"})
    assert (dict(into.malformed), into.performance.labelled, into.performance.n) == ({"label_count": 1}, 0, 2)


def test_a_probability_that_is_none_and_a_missing_answer_are_seen(fakes: Any, count: Any) -> None:
    odd = base64.b64encode(b'[{"probability": 7.5, "rain": 1}]').decode()
    into, _ = count([changed(good(fakes), *OUTPUT, "data", to=odd), changed(good(fakes), *OUTPUT, to=None)])
    assert (into.rows, into.outputs["probability"].rows, into.performance.n) == (2, 1, 1)
    assert (into.confidence.missing, into.performance.calibrated_rows) == (1, 0)


def test_counts_do_not_depend_on_how_files_are_cut(fakes: Any, baseline: Any) -> None:
    chance = random.Random(5)
    made = [fakes.record(str(n), fakes.START + 1, *fakes.row(chance)) for n in range(300)]

    def counted(parts: list[list[bytes]]) -> WindowCounts:
        into = WindowCounts.of(baseline, "rain-test", "a", "b")
        reading = Reading(baseline, fakes.START, fakes.START + 60, slices=("wind",))
        for number, part in enumerate(parts):
            count_file(iter(part), f"rain-test/blue/2026/11/22/03/{number}.jsonl", into, reading)
        return into

    whole, cut = counted([made]), counted([made[:100], made[100:]])
    for name, tally in whole.columns.items():
        assert tally.to_json()["counts"] == cut.columns[name].to_json()["counts"]
    assert whole.performance.n == cut.performance.n == 300


def test_nothing_that_is_thrown_at_it_is_lost(fakes: Any, count: Any) -> None:
    chance = random.Random(7)
    line = good(fakes)
    for _ in range(300):
        broken = bytearray(line)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        count([bytes(broken).replace(b"\n", b" "), line[: chance.randrange(len(line))]])


def test_variants_stand_in_the_path() -> None:
    assert variant_of("capture/rain-test/container/2026/11/22/03/x-1") == "container"
    assert variant_of(WHERE) == "blue"
    assert variant_of("a.jsonl") == ""


def test_what_cloudwatch_logs_tries_a_destination_out_with_is_no_request(fakes: Any, count: Any) -> None:
    into, done = count([b"CWL CONTROL MESSAGE: Checking health of destination Firehose.", good(fakes)])
    assert (done.counted, done.elsewhere, done.malformed) == (1, 1, 0)
    assert not into.malformed
