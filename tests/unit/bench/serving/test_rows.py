"""The saved table has exactly the promised fields, and medians in it."""

import json
from pathlib import Path

from bench.serving.rows import Row, Sample, save, summarise

PROMISED = ["server", "model", "format", "clients", "rps", "p50_ms", "p99_ms", "ratio_to_raw", "cold_s", "rss_mb"]


def sample(rps: float) -> Sample:
    return Sample(rps=rps, p50_s=rps / 1e6, p99_s=rps / 1e5, ratio_to_raw=rps / 1000, cpu_s=1e-4, generator_busy=0.1)


def summary() -> Row:
    taken = [sample(rps) for rps in (300.0, 100.0, 200.0)]
    return summarise(taken, server="s", model="m", format_="json", clients=8, cold_s=0.51234, rss_bytes=70_100_000)


def test_a_row_holds_the_medians_of_its_rounds() -> None:
    row = summary()
    assert (row.rps, row.p50_ms, row.p99_ms, row.ratio_to_raw) == (200.0, 0.2, 2.0, 0.2)
    assert (row.cold_s, row.rss_mb, row.cpu_s_per_1000) == (0.512, 70.1, 0.1)
    assert row.rps_rounds == [300.0, 100.0, 200.0]


def test_the_file_is_a_list_of_rows_with_the_promised_fields(tmp_path: Path) -> None:
    save([summary()], tmp_path / "build" / "serving.json")
    (saved,) = json.loads((tmp_path / "build" / "serving.json").read_text())
    assert list(saved) == PROMISED
    assert saved["rps"] == 200.0


def test_rows_that_only_indicate_say_so(tmp_path: Path) -> None:
    save([summary()], tmp_path / "serving.json", is_indicative=True)
    (saved,) = json.loads((tmp_path / "serving.json").read_text())
    assert list(saved) == [*PROMISED, "indicative"]
    assert saved["indicative"] is True
