"""Recordings are read as they are documented, and what is wrong with one is said by line and column."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.unit.tidegate.rehearsal.recordings import START, recording
from tidegate.errors import UsageError
from tidegate.rehearsal.recording import Answered, read, write

ROOT = Path(__file__).resolve().parents[4]
HEADER = "at,slot,requests,errors,slow\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recorded.csv"


def test_what_is_written_is_read_again(file: Path) -> None:
    wanted = recording(5, new=[Answered(), Answered(300, 4, 9)])
    write(wanted, file)
    found = read(file)
    assert found.periods == wanted.periods
    assert (found.period_seconds, found.first_of_new, found.has_slow) == (60, 1, True)


def test_the_example_is_one() -> None:
    found = read(ROOT / "docs" / "examples" / "canary-with-errors.csv")
    assert len(found.periods) == 180
    assert found.new.errors / found.new.requests > 2 * found.live.errors / found.live.requests


def test_times_in_any_form_and_order_and_minutes_without_requests(file: Path) -> None:
    lines = [f"{START + 180:.0f},live,7.0,0,0", "# a remark", "", "2026-01-05T08:00:00Z,live,5,1,2"]
    file.write_text(f"{HEADER}{START + 60:.0f},live,6,0,0\n" + "\n".join(lines))
    found = read(file)
    assert [period.live.requests for period in found.periods] == [5, 6, 0, 7]
    assert found.periods[0].at == START


def test_a_time_without_a_zone_is_utc(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        file.write_text(f"{HEADER}2026-01-05T08:00:00,live,5,1,2\n")
        assert read(file).periods[0].at == START
    finally:
        monkeypatch.undo()
        time.tzset()


def test_without_slow_requests(file: Path) -> None:
    file.write_text("at,slot,requests,errors\n0,live,10,1\n10,live,10,1\n")
    assert (read(file).has_slow, read(file).period_seconds) == (False, 10)
    write(read(file), file)
    assert read(file).has_slow is False


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "columns are missing: at, errors, requests, slot"),
        ("at,slot,requests\n", "columns are missing: errors"),
        (HEADER, "has no line below its header"),
        (f"{HEADER}0,live,10,1\n", "line 2: 4 values for 5 columns"),
        (f"{HEADER}noon,live,10,1,0\n", "line 2: at: 'noon' is not a time"),
        (f"{HEADER}# why\n0,green,10,1,0\n", "line 3: slot: 'green' is not a slot"),
        (f"{HEADER}0,live,ten,1,0\n", "line 2: requests: 'ten' is not a count"),
        (f"{HEADER}0,live,10,-1,0\n", "line 2: errors: '-1' is not a count"),
        (f"{HEADER}0,live,10,nan,0\n", "line 2: errors: 'nan' is not a count"),
        (f"{HEADER}0,live,10,0,1.5\n", "line 2: slow: '1.5' is not a count"),
        (f"{HEADER}0,live,10,11,0\n", "line 2: errors: 11 is more than its 10 requests"),
        (f"{HEADER}0,live,10,1,0\n0,live,10,1,0\n", "line 3: at: 0 of slot live is in line 2 already"),
        (f"{HEADER}0,new,10,1,0\n0,live,0,0,0\n", "slot: no line has requests of slot live"),
        (f"{HEADER}0,live,1,0,0\n60,live,1,0,0\n150,live,1,0,0\n", "at: lines lie 60 s apart, and others 90 s"),
        (f"{HEADER}0,live,1,0,0\n1,live,1,0,0\n1e9,live,1,0,0\n", "1,000,000,001 periods of 1 s"),
    ],
)
def test_what_is_wrong_is_named(file: Path, text: str, problem: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError) as refused:
        read(file)
    assert problem in refused.value.message
    assert refused.value.hint


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "none.csv")
