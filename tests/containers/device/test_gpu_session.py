"""The GPU session over a stand-in of ONNX Runtime: what it asks for, and what it makes of what goes wrong."""

import logging
import threading

import numpy as np
import pytest

from model_containers.serving.serving.device import DeviceUnavailableError, EngineCacheError, engines, open_session
from model_containers.serving.serving.problems import ModelFailedError
from tests.containers.device.conftest import KEY, signature
from tests.containers.device.fake_runtime import CPU, CUDA, TENSORRT, FakeOrtValue, FakeRuntime

BUCKETS = (1, 2, 4, 8, 16, 32, 64)


def rows(count):
    return np.arange(count * 3, dtype=np.float32).reshape(count, 3)


def on_gpu(runtime):
    """The sessions that were opened to run on a GPU: not the one that was only looked at."""
    return [each for each in runtime.sessions if set(each.options) != {CPU}]


@pytest.fixture
def cuda():
    """A build without TensorRT."""
    return FakeRuntime(available=(CUDA, CPU))


def test_cuda_has_one_session_and_a_graph_for_each_bucket(folder, options, cuda):
    session = open_session(folder, signature(), options(gpu=1), cuda)

    (opened,) = on_gpu(cuda)
    assert session.providers == (CUDA, CPU)
    assert session.buckets == BUCKETS
    assert opened.options[CUDA] == {"device_id": "1", "enable_cuda_graph": "1", "use_tf32": "1"}
    assert [each.inputs["x"].array.shape for each in opened.bindings] == [(size, 3) for size in BUCKETS]
    assert {graph: binding for binding, graph in opened.runs} == dict(zip("1234567", opened.bindings, strict=True))


@pytest.mark.parametrize("count", BUCKETS)
def test_each_bucket_answers_for_its_own_rows(folder, options, cuda, count):
    session = open_session(folder, signature(), options(), cuda)

    for given in (rows(count), rows(count) + 1, rows(count)):
        (answer,) = session.run(given)
        np.testing.assert_array_equal(answer, given.sum(axis=1))


def test_memory_on_the_gpu_stays_where_it_is(folder, options, cuda):
    session = open_session(folder, signature(), options(gpu=2), cuda)
    (binding,) = [each for each in on_gpu(cuda)[0].bindings if each.inputs["x"].array.shape == (4, 3)]
    before = binding.inputs["x"], binding.outputs["y"]

    session.run(rows(4))

    assert (binding.inputs["x"], binding.outputs["y"]) == before
    assert [each.place for each in before] == [("cuda", 2)] * 2


def test_input_goes_through_page_locked_memory(folder, options, cuda, caplog):
    with caplog.at_level(logging.INFO, "serving"):
        session = open_session(folder, signature(), options(), cuda)
    session.run(rows(8))

    (target,) = [each.inputs["x"] for each in on_gpu(cuda)[0].bindings if each.inputs["x"].array.shape == (8, 3)]
    assert isinstance(target.updates[-1], FakeOrtValue)
    assert target.updates[-1].place == "pinned"
    assert "page-locked" not in caplog.text


@pytest.mark.parametrize("fault", ["no_pinned", "no_device_copy"])
def test_without_page_locked_memory_the_log_says_what_it_costs(folder, options, cuda, caplog, fault):
    setattr(cuda.faults, fault, True)
    with caplog.at_level(logging.INFO, "serving"):
        session = open_session(folder, signature(), options(), cuda)

    np.testing.assert_array_equal(session.run(rows(2))[0], rows(2).sum(axis=1))
    assert "copied once more" in caplog.text


def test_largest_bucket_is_the_largest_batch(folder, options, cuda):
    assert open_session(folder, signature(), options(max_batch_rows=12), cuda).buckets == (1, 2, 4, 8, 12)


def test_every_bucket_is_timed(folder, options, cuda):
    session = open_session(folder, signature(), options(), cuda)

    assert len(session.bucket_seconds) == len(BUCKETS)
    assert min(session.bucket_seconds) > 0


def test_rows_that_are_not_padded_to_a_bucket_are_a_mistake(folder, options, cuda):
    session = open_session(folder, signature(), options(), cuda)

    with pytest.raises(ValueError, match=r"3 rows; this session takes one of \(1, 2, 4"):
        session.run(rows(3))


def test_tensorrt_has_an_engine_and_a_graph_of_fixed_shape_for_each_bucket(folder, options, tmp_path):
    runtime = FakeRuntime()
    session = open_session(folder, signature(), options(), runtime)

    assert session.providers == (TENSORRT, CUDA, CPU)
    assert session.buckets == BUCKETS
    opened = on_gpu(runtime)
    (cache,) = (tmp_path / "cache" / str(KEY)).iterdir()
    for size, each in zip(BUCKETS, opened, strict=True):
        shape = f"x:{size}x3"
        assert each.options[TENSORRT] == {
            "device_id": "0",
            "trt_fp16_enable": "1",
            "trt_int8_enable": "0",
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(cache / f"rows-{size}"),
            "trt_engine_cache_prefix": "tidegate",
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": str(cache),
            "trt_cuda_graph_enable": "1",
            "trt_profile_min_shapes": shape,
            "trt_profile_opt_shapes": shape,
            "trt_profile_max_shapes": shape,
        }
        assert each.options[CUDA]["enable_cuda_graph"] == "0"
        assert (cache / f"rows-{size}").is_dir()
        # Its provider keeps one graph a session, under the number that is its own.
        assert {graph for _, graph in each.runs} == {None}


def test_tensorrt_without_graphs_has_one_engine_for_all_buckets(folder, options):
    runtime = FakeRuntime()
    session = open_session(folder, signature(), options(cuda_graphs=False), runtime)

    (opened,) = on_gpu(runtime)
    assert session.buckets == BUCKETS
    given = opened.options[TENSORRT]
    assert given["trt_cuda_graph_enable"] == "0"
    assert given["trt_engine_cache_path"].endswith("rows-1-64")
    shapes = [given[f"trt_profile_{each}_shapes"] for each in ("min", "opt", "max")]
    assert shapes == ["x:1x3", "x:64x3", "x:64x3"]


@pytest.mark.parametrize(
    ("precision", "model", "fp16", "int8", "tf32"),
    [
        ("fp16", b"a model", "1", "0", "1"),
        ("fp32", b"a model", "0", "0", "0"),
        ("int8", b"QuantizeLinear DequantizeLinear", "1", "1", "1"),
        ("fp32", b"QuantizeLinear DequantizeLinear", "0", "1", "0"),
    ],
)
def test_precision(folder, options, precision, model, fp16, int8, tf32):
    (folder / "model.onnx").write_bytes(model)
    runtime = FakeRuntime()
    open_session(folder, signature(), options(precision=precision), runtime)

    given = on_gpu(runtime)[0].options
    assert (given[TENSORRT]["trt_fp16_enable"], given[TENSORRT]["trt_int8_enable"]) == (fp16, int8)
    assert given[CUDA]["use_tf32"] == tf32


def test_model_of_a_fixed_batch_has_that_bucket_and_no_profile(folder, options):
    runtime = FakeRuntime(rows=4)
    session = open_session(folder, signature(), options(), runtime)

    assert session.buckets == (4,)
    assert "trt_profile_min_shapes" not in on_gpu(runtime)[0].options[TENSORRT]


@pytest.mark.parametrize("fault", ["no_graph_session", "no_capture"])
@pytest.mark.parametrize("available", [(TENSORRT, CUDA, CPU), (CUDA, CPU)])
def test_graph_that_cannot_be_captured_is_done_without(folder, options, caplog, fault, available):
    runtime = FakeRuntime(available=available)
    setattr(runtime.faults, fault, "the model has control flow nodes")

    session = open_session(folder, signature(), options(device="gpu"), runtime)

    assert session.providers == available
    assert session.buckets == BUCKETS
    np.testing.assert_array_equal(session.run(rows(4))[0], rows(4).sum(axis=1))
    assert not runtime.sessions[-1].has_graphs
    assert {graph for _, graph in runtime.sessions[-1].runs} == {None}
    (warning,) = [each for each in caplog.records if "CUDA graphs" in each.message]
    assert "costs" in warning.message
    assert warning.reason == "the model has control flow nodes"


def test_output_of_unknown_size_is_served_without_graphs(folder, options, cuda, caplog):
    cuda.outputs[0].shape = ["rows", "k"]
    cuda.answer = lambda given, output: given * 2
    session = open_session(folder, signature(), options(), cuda)

    np.testing.assert_array_equal(session.run(rows(4))[0], rows(4) * 2)
    (opened,) = on_gpu(cuda)
    assert opened.bindings[0].outputs == {"y": ("cuda", 0)}
    assert "no CUDA graphs" in caplog.text


def test_provider_that_does_not_load_is_passed_over(folder, options, caplog):
    runtime = FakeRuntime()
    runtime.faults.absent = {TENSORRT}

    session = open_session(folder, signature(), options(device="gpu"), runtime)

    assert session.providers == (CUDA, CPU)
    assert on_gpu(runtime)[-1].options[CUDA]["enable_cuda_graph"] == "1"
    assert f"the model does not run on {TENSORRT}" in caplog.text


def test_gpu_that_is_asked_for_and_not_given_is_a_failed_start(folder, options):
    runtime = FakeRuntime()
    runtime.faults.absent = {TENSORRT, CUDA}

    with pytest.raises(DeviceUnavailableError, match=r"could not load it.*InferenceAmiVersion.*TIDEGATE_DEVICE=auto"):
        open_session(folder, signature(), options(device="gpu"), runtime)


def test_build_without_gpu_providers_is_a_failed_start_where_a_gpu_is_asked_for(folder, options):
    with pytest.raises(DeviceUnavailableError, match="TIDEGATE_DEVICE=gpu"):
        open_session(folder, signature(), options(device="gpu"), FakeRuntime(available=(CPU,)))


def test_auto_falls_back_to_the_cpu_with_a_warning(folder, options, caplog):
    runtime = FakeRuntime()
    runtime.faults.absent = {TENSORRT, CUDA}

    session = open_session(folder, signature(), options(), runtime)

    assert session.providers == (CPU,)
    assert "no GPU: serving on the CPU" in caplog.text


def test_signature_limits_the_providers(folder, options):
    runtime = FakeRuntime()
    session = open_session(folder, signature(execution_providers=[CUDA]), options(), runtime)

    assert session.providers == (CUDA, CPU)


def test_onnx_runtime_is_never_left_to_fall_back_by_itself(folder, options):
    runtime = FakeRuntime()
    open_session(folder, signature(), options(), runtime)

    assert {each.enable_fallback for each in runtime.sessions} == {0}


def test_failure_of_a_run_carries_the_words_of_onnx_runtime(folder, options, cuda):
    session = open_session(folder, signature(), options(), cuda)
    cuda.faults.runs_fail = "CUDA failure 700: an illegal memory access"

    with pytest.raises(ModelFailedError, match="CUDA failure 700"):
        session.run(rows(1))


def test_run_in_another_thread_than_the_warm_up_is_noticed_once(folder, options, cuda, caplog):
    session = open_session(folder, signature(), options(), cuda)

    other = threading.Thread(target=lambda: (session.run(rows(1)), session.run(rows(1))))
    other.start()
    other.join()

    assert caplog.text.count("captured anew") == 1


def test_engines_of_the_artefact_are_used_from_a_writable_copy(folder, options, tmp_path, caplog):
    shipped = folder / "engines" / str(KEY)
    (shipped / "rows-1").mkdir(parents=True)
    (shipped / "rows-1" / "tidegate.engine").write_bytes(b"built offline")
    engines.Manifest.of(folder / "model.onnx", "fp16").save(shipped)

    open_session(folder, signature(), options(), FakeRuntime())

    (copy,) = (tmp_path / "cache").rglob("tidegate.engine")
    assert copy.read_bytes() == b"built offline"
    assert "no TensorRT engines" not in caplog.text


def test_engine_cache_that_cannot_be_written_is_a_failed_start(folder, options, tmp_path):
    (tmp_path / "cache").write_text("a file")

    with pytest.raises(EngineCacheError, match="TIDEGATE_ENGINE_CACHE="):
        open_session(folder, signature(), options(), FakeRuntime())
