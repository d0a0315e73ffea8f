"""The benchmark's models are the same each time, in the container's format, and right."""

from pathlib import Path

import numpy as np
import pytest

from bench.serving import models
from bench.serving.peers import bench_model


@pytest.mark.parametrize("name", [models.TINY, models.GPU])
def test_a_model_answers_its_own_sample_and_each_row_by_itself(name: str, tmp_path: Path) -> None:
    case = models.build(name, tmp_path / name)
    outputs = bench_model.load(case.folder).run(case.rows)
    assert [each.shape for each in outputs] == [(models.MOST_CLIENTS,)] * len(case.outputs)
    assert len(np.unique(outputs[0])) > models.MOST_CLIENTS / 2  # else a mixed-up answer would not be noticed


def test_the_simulated_gpu_takes_its_time_and_no_processor(tmp_path: Path) -> None:
    import time

    case = models.build(models.GPU, tmp_path / "gpu")
    model = bench_model.load(case.folder)
    began, busy = time.perf_counter(), time.process_time()
    (score,) = model.run(case.rows[:64])
    assert time.perf_counter() - began >= 0.0094
    assert time.process_time() - busy < 0.005
    np.testing.assert_allclose(score, case.rows[:64].mean(axis=1))


def test_the_heavy_model_is_the_same_each_time(tmp_path: Path) -> None:
    first, second = (models.build(models.HEAVY, tmp_path / name) for name in ("first", "second"))
    assert (first.folder / "model.onnx").read_bytes() == (second.folder / "model.onnx").read_bytes()
    assert np.array_equal(first.rows, second.rows)


def test_a_batch_is_split_by_its_requests() -> None:
    outputs = (np.arange(6), np.arange(6) * 10)
    parts = bench_model.split(outputs, [1, 3, 2])
    assert [[each.tolist() for each in part] for part in parts] == [
        [[0], [0]],
        [[1, 2, 3], [10, 20, 30]],
        [[4, 5], [40, 50]],
    ]
