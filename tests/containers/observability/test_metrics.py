"""What ``GET /metrics`` shows, read by a strict reader of Prometheus' format."""

import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from model_containers.serving.serving.observability import gpu_memory, metrics
from model_containers.serving.serving.observability.counter import LabelledCounter
from model_containers.serving.serving.observability.gathering import ROWS_OF_MANY, ROWS_OF_ONE, Gathering
from model_containers.serving.serving.observability.predictions import MAX_LABELS
from tests.containers.observability.strict_exposition import parse, value


@pytest.fixture
def counted():
    return metrics.Metrics(latency_threshold_seconds=0.123, output_names=("probability", "label"))


def predicted(*outputs, names=("it",)):
    """Count batches of one output; return what is shown."""
    found = metrics.Metrics(latency_threshold_seconds=None, output_names=names)
    for output in outputs:
        found.predictions([output])
    return parse(found.render())


def test_answers_are_counted_by_status_and_timed_by_class(counted):
    for status, seconds in [(200, 0.01), (200, 0.4), (400, 0.002), (413, 0.003), (503, 0.0001)]:
        counted.answered(status, seconds)

    shown = parse(counted.render())

    assert value(shown, "tidegate_requests_total", status="200") == 2
    assert value(shown, "tidegate_requests_total", status="413") == 1
    assert value(shown, "tidegate_request_seconds_count", status_class="2xx") == 2
    assert value(shown, "tidegate_request_seconds_sum", status_class="2xx") == pytest.approx(0.41)
    assert value(shown, "tidegate_request_seconds_count", status_class="4xx") == 2
    assert value(shown, "tidegate_request_seconds_bucket", status_class="5xx", le="0.0005") == 1


@pytest.mark.parametrize("threshold", [0.123, 0.1, 1 / 3, 90.0])
def test_latency_threshold_is_an_edge_exactly_and_belongs_to_the_fast_side(threshold):
    found = metrics.Metrics(latency_threshold_seconds=threshold)
    found.answered(200, threshold)
    found.answered(200, np.nextafter(threshold, 1e9))

    assert value(parse(found.render()), "tidegate_request_seconds_bucket", status_class="2xx", le=repr(threshold)) == 1


@pytest.mark.parametrize("threshold", [0.0, -1.0, float("nan"), float("inf")])
def test_unusable_threshold_is_refused(threshold):
    with pytest.raises(ValueError, match="needed is a number above 0"):
        metrics.Metrics(latency_threshold_seconds=threshold)


@pytest.mark.parametrize("requests", [3, 100])
def test_batches_are_counted_whether_few_requests_or_many(counted, requests):
    counted.batch(requests, requests, 7, [0.005] * requests, 0.02)
    counted.batch(requests, requests, 0, np.full(requests, 0.3), 0.02)

    shown = parse(counted.render())

    assert value(shown, "tidegate_batches_total") == 2
    assert value(shown, "tidegate_batched_requests_total") == 2 * requests
    assert value(shown, "tidegate_padded_rows_total") == 7
    assert value(shown, "tidegate_batch_rows_sum") == 2 * requests
    assert value(shown, "tidegate_queue_wait_seconds_bucket", le="0.005") == requests
    assert value(shown, "tidegate_queue_wait_seconds_count") == 2 * requests
    assert value(shown, "tidegate_queue_wait_seconds_sum") == pytest.approx(0.305 * requests)
    assert value(shown, "tidegate_batch_compute_seconds_sum") == pytest.approx(0.04)


def test_sheds_and_refused_cells_are_counted(counted):
    counted.shed("queue_rows")
    counted.shed("queue_rows")
    counted.refused_input({'odd "name"\\\n': 3, "wind": 1})
    counted.refused_input({"wind": 2})

    shown = parse(counted.render())

    assert value(shown, "tidegate_requests_shed_total", reason="queue_rows") == 2
    assert value(shown, "tidegate_input_refused_cells_total", column='odd "name"\\\n') == 3
    assert value(shown, "tidegate_input_refused_cells_total", column="wind") == 3


def test_columns_never_make_series_without_end(counted):
    counted.refused_input({f"column {index}": 1 for index in range(2 * metrics.MAX_COLUMNS)})

    _, samples = parse(counted.render())["tidegate_input_refused_cells_total"]

    assert len(samples) == metrics.MAX_COLUMNS + 1
    assert sum(samples.values()) == 2 * metrics.MAX_COLUMNS


def test_gauges_are_read_when_shown(counted):
    waiting = [5, 640, 3]
    counted.watch(queue_rows=lambda: waiting[0], queue_bytes=lambda: waiting[1], requests_in_flight=lambda: waiting[2])
    counted.render()
    waiting[:] = [6, np.int64(700), 4]

    shown = parse(counted.render())

    assert value(shown, "tidegate_queue_rows") == 6
    assert value(shown, "tidegate_queue_bytes") == 700
    assert value(shown, "tidegate_requests_in_flight") == 4


def test_model_and_process_are_described(counted):
    counted.describe_model(version="1.1.0", digest="sha256:ab", providers=["A", "B"])

    shown = parse(counted.render())

    assert value(shown, "tidegate_model_info", version="1.1.0", digest="sha256:ab", providers="A,B") == 1
    assert 1e6 < value(shown, "process_resident_memory_bytes") < 1e12
    assert value(shown, "process_cpu_seconds_total") > 0
    assert "tidegate_gpu_memory_used_bytes" not in shown


def test_content_type_names_the_format_and_its_version(counted):
    assert counted.CONTENT_TYPE == "text/plain; version=0.0.4; charset=utf-8"


def test_probabilities_are_shown_with_their_confidence():
    shown = predicted(np.array([0.03, 0.5, 0.97], np.float32), np.array([[0.2], [np.nan]], np.float32))

    assert value(shown, "tidegate_prediction_value_count", output="it") == 4
    assert value(shown, "tidegate_prediction_value_bucket", output="it", le="0.2") == 1
    assert value(shown, "tidegate_prediction_value_sum", output="it") == pytest.approx(1.7)
    assert value(shown, "tidegate_prediction_confidence_bucket", output="it", le="0.5") == 1
    assert value(shown, "tidegate_prediction_confidence_bucket", output="it", le="0.85") == 2
    assert value(shown, "tidegate_prediction_confidence_bucket", output="it", le="0.99") == 4
    assert value(shown, "tidegate_predictions_not_finite_total", output="it") == 1


def test_a_value_that_equals_an_edge_lies_below_it():
    shown = predicted(np.array([0.0, 0.5, 1.0, 1e9, -1e9]))

    buckets = [value(shown, "tidegate_prediction_value_bucket", output="it", le=le) for le in ("-1000000.0", "0.0")]
    assert buckets == [1, 2]
    assert value(shown, "tidegate_prediction_value_bucket", output="it", le="1.0") == 4
    assert value(shown, "tidegate_prediction_value_bucket", output="it", le="+Inf") == 5


def test_numbers_that_are_no_probabilities_have_no_confidence():
    shown = predicted(np.array([0.5]), np.array([20.0]))

    assert value(shown, "tidegate_prediction_value_count", output="it") == 2
    assert "tidegate_prediction_confidence" not in shown


def test_scores_are_counted_by_the_greatest():
    shown = predicted(np.array([[0.1, 0.9, 0.0], [0.7, 0.2, 0.1], [np.nan, 0, 1]]))

    assert value(shown, "tidegate_predictions_total", output="it", label="1") == 1
    assert value(shown, "tidegate_predictions_total", output="it", label="0") == 1
    assert value(shown, "tidegate_prediction_confidence_sum", output="it") == pytest.approx(1.6)
    assert value(shown, "tidegate_predictions_not_finite_total", output="it") == 1
    assert "tidegate_prediction_confidence" not in predicted(np.array([[3.0, 5.0]]))


@pytest.mark.parametrize("labels", [np.array([1, 0, 1]), np.array(["1", "0", "1"], object), np.array(["1", "0", "1"])])
def test_labels_are_counted(labels):
    shown = predicted(labels, labels)

    assert value(shown, "tidegate_predictions_total", output="it", label="1") == 4
    assert value(shown, "tidegate_predictions_total", output="it", label="0") == 2


def test_labels_never_make_series_without_end():
    batches = [np.arange(start, start + 30) for start in range(0, 6000, 30)]

    _, samples = predicted(*batches)["tidegate_predictions_total"]

    assert len(samples) == MAX_LABELS + 1
    assert sum(samples.values()) == 6000


def test_no_row_of_small_batches_is_lost_and_large_ones_are_sampled():
    small = [np.full(30, 0.5, np.float32)] * 500
    assert value(predicted(*small), "tidegate_prediction_value_count", output="it") == 15_000
    assert value(predicted(np.zeros(1000)), "tidegate_prediction_value_count", output="it") == ROWS_OF_ONE
    shown = predicted(np.full((1000, 4), 0.25))
    assert value(shown, "tidegate_prediction_confidence_count", output="it") == ROWS_OF_MANY


def test_predictions_are_copied_for_their_memory_is_used_again():
    found = metrics.Metrics(latency_threshold_seconds=None, output_names=("it",))
    staging = np.array([0.5])
    found.predictions([staging])
    staging[:] = 1000

    assert value(parse(found.render()), "tidegate_prediction_value_sum", output="it") == 0.5


@pytest.mark.parametrize(
    "odd", [np.zeros((2, 3, 4)), np.zeros((1, 1, 1)), np.zeros((2, 5000)), np.zeros((2, 0)), np.zeros((2, 3), int)]
)
def test_outputs_without_a_distribution_are_left_out(odd):
    assert not any(name.startswith("tidegate_prediction") for name in predicted(odd))


def test_an_output_that_changes_its_shape_breaks_nothing():
    shown = predicted(np.zeros((4, 3)), np.zeros((4, 2)), np.zeros((4, 3)))

    assert not any(name.startswith("tidegate_prediction") for name in shown)


def test_outputs_without_a_name_go_by_their_number():
    assert value(predicted(np.array([1]), names=()), "tidegate_predictions_total", output="0", label="1") == 1


def test_nothing_is_lost_while_others_write_and_read(counted):
    stop, problems, seen = threading.Event(), [], []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns in the middle of everything

    def read():
        try:
            while not stop.is_set():
                shown = parse(counted.render())
                if "tidegate_prediction_value" in shown:
                    seen.append(value(shown, "tidegate_prediction_value_count", output="probability"))
        except Exception as error:
            problems.append(error)

    def answer():
        for index in range(30_000):
            counted.answered(200 + index % 3, 0.01)

    def run():
        for _ in range(2_000):
            counted.batch(20, 20, 1, [0.001] * 20, 0.002)
            counted.predictions([np.full(20, 0.5), np.ones(20, int)])

    def shed():
        for _ in range(10_000):
            counted.shed("deadline")

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=each) for each in (answer, run, shed, shed)]
    try:
        for thread in (reader, *writers):
            thread.start()
        for thread in writers:
            thread.join(120)
    finally:
        stop.set()
        reader.join(120)
        sys.setswitchinterval(interval)

    shown = parse(counted.render())
    assert problems == []
    assert seen == sorted(seen)
    assert sum(value(shown, "tidegate_requests_total", status=str(each)) for each in (200, 201, 202)) == 30_000
    assert value(shown, "tidegate_queue_wait_seconds_count") == 40_000
    assert value(shown, "tidegate_prediction_value_count", output="probability") == 40_000
    assert value(shown, "tidegate_requests_shed_total", reason="deadline") == 20_000


class Dawdling(dict):
    """Lets other threads run between a look-up and what follows from it."""

    def get(self, key, default):
        found = super().get(key, default)
        time.sleep(1e-5)
        return found


def test_counters_of_several_threads_lose_nothing():
    counter = LabelledCounter(limit=1)
    counter._counts = Dawdling()
    threads = [threading.Thread(target=lambda: [counter.add("deadline") for _ in range(200)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert counter.read() == {"deadline": 600}


def test_a_reading_is_not_disturbed_by_rows_that_come_in_the_middle_of_it():
    disturb = []

    def count(before, rows):
        while disturb:
            disturb.pop()()
        return before + rows.sum()

    gathering = Gathering(0.0, count, 0, np.float64)
    gathering.add(np.ones(10))
    disturb.append(lambda: [gathering.add(np.full(30, 100.0)) for _ in range(200)])

    assert gathering.read() == 10
    assert gathering.read() == 10 + 200 * 3000


def nvml(read):
    """Stands for the module pynvml on a machine with two GPUs."""
    module = SimpleNamespace(nvmlInit=lambda: None, nvmlDeviceGetCount=lambda: 2)
    return SimpleNamespace(**vars(module), nvmlDeviceGetHandleByIndex=lambda index: index, nvmlDeviceGetMemoryInfo=read)


def test_gpu_memory_is_shown_where_there_is_a_gpu(counted):
    module = nvml(lambda gpu: SimpleNamespace(used=10 + gpu, total=100))
    counted.watch_gpu(gpu_memory.GpuMemory.open(lambda name: module))

    shown = parse(counted.render())

    assert value(shown, "tidegate_gpu_memory_used_bytes", gpu="1") == 11
    assert value(shown, "tidegate_gpu_memory_total_bytes", gpu="0") == 100


def test_gpu_memory_is_left_out_where_it_cannot_be_read(counted):
    def missing(name):
        raise ModuleNotFoundError(name)

    calls = []

    def broken(gpu):
        calls.append(gpu)
        raise RuntimeError("driver gone")

    assert gpu_memory.GpuMemory.open(missing) is None
    counted.watch_gpu(gpu_memory.GpuMemory.open(lambda name: nvml(broken)))

    assert "tidegate_gpu_memory_used_bytes" not in parse(counted.render())
    assert "tidegate_gpu_memory_used_bytes" not in parse(counted.render())
    assert calls == [0]
