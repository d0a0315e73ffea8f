"""A batch in the local cloud: its model server is killed half-way, and every row has one answer, in its place.

`python -m bench.batch` does the same with a million rows.
"""

import pytest

from bench.batch.answers import Reference, check
from bench.batch.rows import Part, parts
from bench.batch.run import SETTINGS, measure
from bench.batch.world import ARTEFACT, BUCKET, model_file, world
from bench.errors import BenchError

ROWS, OBJECTS = 80_000, 40
MEGABYTE = 1_000_000


def test_a_batch_that_is_killed_half_way_answers_every_row_once():
    found = measure(ROWS, OBJECTS, lambda _: None)
    assert found.jobs == 2
    assert OBJECTS // 2 <= found.answered_before < OBJECTS
    # The serving container itself takes 80 MB; its rows come in payloads of 1 MB.
    assert found.server_bytes < 250 * MEGABYTE


def test_a_batch_by_a_model_that_was_changed_after_it_was_signed_answers_nothing():
    with world(SETTINGS) as here:
        here.put("part.csv", next(parts(10, 1)).csv)
        here.cloud.client("s3").put_object(Bucket=BUCKET, Key=ARTEFACT, Body=b"another model")
        here.tell({"batch": {"id": "changed"}})
        (run,) = here.runs()
        assert f"its artefact s3://{BUCKET}/{ARTEFACT} has the sha256" in run["text"]
        assert not here.cloud.client("sagemaker").list_models(NameContains=run["id"])["Models"]
        assert not here.cloud.client("sagemaker").list_transform_jobs()["TransformJobSummaries"]


def test_answers_in_another_order_or_number_are_found_out(tmp_path):
    reference = Reference(model_file(tmp_path))
    part = next(parts(1000, 2))
    answers = [f"{value:.9g},0" for value in reference.probabilities(part.rows)]
    check(part, "\n".join(answers).encode(), reference)
    swapped = [answers[1], answers[0], *answers[2:]]
    for wrong in (answers[:-1], [*answers, answers[-1]], swapped):
        with pytest.raises(BenchError, match=part.name):
            check(Part(part.name, part.rows), "\n".join(wrong).encode(), reference)
