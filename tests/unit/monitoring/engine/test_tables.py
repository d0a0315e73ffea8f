"""Plain tables and baselines from large references: the careful path's counts."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.build import build as build_carefully
from lambdas.monitoring.profile.columns import Column, Schema
from lambdas.monitoring.profile.quality import OutputRoles
from lambdas.monitoring.profile.sample import place_of, row_key
from lambdas.monitoring.profile.window import WindowCounts
from model_containers.monitoring import tables
from model_containers.monitoring.baseline import build
from model_containers.monitoring.errors import TableError
from model_containers.monitoring.tables import count_frame, count_table

SCHEMA = Schema((Column("x", "number"), Column("n", "number"), Column("c", "category"), Column("code", "category")))
ROLES = OutputRoles("p", "rain", 0.5)


def table(rows: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    x = random.normal(size=rows)
    x[:3] = [np.nan, np.inf, -0.0]
    some = random.random(rows) > 0.1
    return pl.DataFrame(
        {
            "x": pl.Series(x).set(pl.Series(~some), None),
            "n": random.poisson(3, rows),
            "c": random.choice(["a", "b", "rare"], p=[0.6, 0.398, 0.002], size=rows),
            "code": pl.Series(random.integers(0, 5, rows).astype(float)).set(pl.Series(~some), None),
        }
    )


def rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


def baselines(rows: int = 3000) -> tuple[Baseline, Baseline]:
    frame = table(rows, 1)
    random = np.random.default_rng(2)
    outputs = pl.DataFrame({"p": random.random(rows)}).with_columns(rain=(pl.col("p") > 0.5).cast(pl.Float64))
    labels = (random.random(rows) < outputs["p"].to_numpy()).tolist()
    columns = {column.name: column.to_list() for column in frame.iter_columns()}
    told = {column.name: column.to_list() for column in outputs.iter_columns()}
    moment = "2026-11-18T00:00:00Z"
    return (
        build_carefully(SCHEMA, columns, told, labels, ROLES, "1.0.0", moment),
        build(SCHEMA, frame, outputs, labels, ROLES, "1.0.0", moment),
    )


def test_a_baseline_is_that_of_the_careful_path() -> None:
    slow, fast = baselines()
    assert rounded(fast.to_json()) == rounded(slow.to_json())


@pytest.mark.parametrize("form", ["parquet", "csv", "frame"])
def test_a_table_is_counted_as_its_values_are(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BATCH_ROWS", 700)
    monkeypatch.setattr(tables, "CELLS_AT_ONCE", 5000)
    baseline, _ = baselines()
    frame = table(2500, 3).with_columns(more=pl.lit(1))
    slow, fast = (WindowCounts.of(baseline, "e", "2026-11-18T00:00:00Z", "2026-11-18T01:00:00Z") for _ in range(2))
    if form == "frame":
        count_frame(frame, "table", fast, SCHEMA)
    else:
        path = tmp_path / f"table.{form}"
        frame.write_parquet(path, row_group_size=600) if form == "parquet" else frame.write_csv(path)
        count_table(path, fast, SCHEMA)
    place = place_of("table" if form == "frame" else f"table.{form}")
    texts = frame.with_columns(
        pl.col("code").cast(pl.Int64, strict=False).cast(pl.String), pl.col("n").cast(pl.Float64)
    )
    for name, tally in slow.columns.items():
        tally.add_many(texts[name].to_list())
    for number, row in enumerate(texts.select(SCHEMA.names).iter_rows(), start=1):
        slow.sample.offer(row_key(place, number), row)
    slow.requests = slow.rows = 2500
    slow.unknown_columns.add("more", 2500)
    assert rounded(fast.to_json()) == rounded(slow.to_json())


def test_what_is_wrong_with_a_table_is_named(tmp_path: Path) -> None:
    baseline, _ = baselines()
    window = WindowCounts.of(baseline, "e", "2026-11-18T00:00:00Z", "2026-11-18T01:00:00Z")
    with pytest.raises(TableError, match="no column code"):
        count_frame(table(10, 1).drop("code"), "t", window, SCHEMA)
    with pytest.raises(TableError, match="column x holds String; numbers belong there"):
        count_frame(table(10, 1).with_columns(x=pl.lit("a")), "t", window, SCHEMA)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(TableError):
        count_table(tmp_path / "broken.parquet", window, SCHEMA)
