"""TensorRT's engines: their key, which of them are used, and how they are built."""

import json

import pytest

from model_containers.serving.serving.device import DeviceUnavailableError, engines
from model_containers.serving.serving.device.build import build
from model_containers.serving.serving.device.engines import EngineKey, Manifest, prepare
from tests.containers.device.conftest import KEY, signature
from tests.containers.device.fake_runtime import CPU, CUDA, TENSORRT, FakeRuntime

# The fixture replaces it for all tests; these look at the real one.
DETECT = engines.detect


class Driver:
    """The CUDA driver of a machine with two GPUs."""

    def __init__(self, status=0):
        self.status = status

    def cuInit(self, flags):
        return self.status

    def cuDeviceGet(self, device, number):
        device._obj.value = number
        return 0

    def cuDeviceGetAttribute(self, value, attribute, device):
        value._obj.value = {75: (8, 9), 76: (6, 0)}[attribute][device.value]
        return 0


class TensorRt:
    def getInferLibVersion(self):
        return 101303


def libraries(driver=None):
    return {"libcuda.so.1": driver or Driver(), "libnvinfer.so.10": TensorRt()}.__getitem__


@pytest.fixture
def shipped(tmp_path):
    """Engines of another GPU and of this one."""
    folder = tmp_path / "engines"
    for name in ("sm90-trt10.13.3-ort1.31.1", str(KEY)):
        (folder / name).mkdir(parents=True)
        (folder / name / "a.engine").write_text(name)
        Manifest("digest", "fp16").save(folder / name)
    return folder


def test_key_is_asked_of_the_driver_and_of_tensorrt():
    assert str(DETECT(0, "1.31.1", libraries())) == "sm86-trt10.13.3-ort1.31.1"
    assert str(DETECT(1, "1.26.0", libraries())) == "sm90-trt10.13.3-ort1.26.0"


def test_without_driver_or_tensorrt_there_is_no_key(caplog):
    def missing(name):
        raise OSError(f"{name}: cannot open shared object file")

    assert DETECT(0, "1.31.1", missing) is None
    assert DETECT(0, "1.31.1", libraries(Driver(status=100))) is None
    assert "cannot be asked" in caplog.text


def test_engines_that_fit_are_copied_and_the_artefact_is_left_alone(shipped, tmp_path, caplog):
    (shipped / str(KEY) / "a.engine").chmod(0o444)
    folder = prepare(shipped, tmp_path / "cache", KEY, Manifest("digest", "fp16"))

    (folder / "a.engine").write_text("written by ONNX Runtime")
    assert (shipped / str(KEY) / "a.engine").read_text() == str(KEY)
    assert not caplog.records


def test_engines_built_meanwhile_survive_a_restart(shipped, tmp_path):
    folder = prepare(shipped, tmp_path / "cache", KEY, Manifest("digest", "fp16"))
    (folder / "more.engine").write_text("built at start")

    again = prepare(shipped, tmp_path / "cache", KEY, Manifest("digest", "fp16"))

    assert (again / "more.engine").read_text() == "built at start"


@pytest.mark.parametrize(
    ("key", "manifest"),
    [
        (EngineKey("75", "10.13.3", "1.31.1"), Manifest("digest", "fp16")),
        (EngineKey("86", "10.13.3", "1.26.0"), Manifest("digest", "fp16")),
        (KEY, Manifest("another model's", "fp16")),
        (KEY, Manifest("digest", "int8")),
        (None, Manifest("digest", "fp16")),
    ],
)
def test_engines_that_do_not_fit_are_named_with_what_is_needed(shipped, tmp_path, caplog, key, manifest):
    folder = prepare(shipped, tmp_path / "cache", key, manifest)

    assert list(folder.iterdir()) == []
    (warning,) = caplog.records
    assert "takes minutes" in warning.message
    assert warning.needed == ("unknown" if key is None else str(key))
    assert warning.needed_model == {"model_sha256": manifest.model_sha256, "precision": manifest.precision}
    assert warning.found == sorted(["sm90-trt10.13.3-ort1.31.1", str(KEY)])


def test_manifest_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / engines.MANIFEST).write_text('{"precision": "fp16"}')

    assert Manifest.load(tmp_path) is None
    assert Manifest.load(tmp_path / "nowhere") is None


def test_built_engines_are_those_that_a_start_looks_for(folder, options, tmp_path):
    runtime = FakeRuntime()
    built = build(folder, signature(), options(), runtime=runtime)

    assert built == folder / "engines" / str(KEY)
    assert sorted(each.name for each in built.iterdir() if each.is_dir()) == sorted(
        f"rows-{size}" for size in (1, 2, 4, 8, 16, 32, 64)
    )
    assert json.loads((built / engines.MANIFEST).read_text())["precision"] == "fp16"
    manifest = Manifest.of(folder / "model.onnx", "fp16")
    assert (prepare(folder / "engines", tmp_path / "cache", KEY, manifest) / "rows-64").is_dir()
    assert {each.options[TENSORRT]["trt_engine_cache_path"] for each in runtime.sessions[1:]} <= {
        str(built.with_name(f".{KEY}.partial") / f"rows-{size}") for size in (1, 2, 4, 8, 16, 32, 64)
    }


def test_build_replaces_what_was_there(folder, options, tmp_path):
    stale = tmp_path / "out" / str(KEY) / "stale.engine"
    stale.parent.mkdir(parents=True)
    stale.write_text("stale")

    build(folder, signature(), options(), tmp_path / "out", FakeRuntime())

    assert not stale.exists()


def test_build_that_fails_leaves_what_was_there(folder, options, tmp_path):
    old = tmp_path / "out" / str(KEY) / "old.engine"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    runtime = FakeRuntime()
    runtime.faults.runs_fail = "out of memory"

    with pytest.raises(Exception, match="out of memory"):
        build(folder, signature(), options(), tmp_path / "out", runtime)

    assert old.exists()


def test_without_tensorrt_nothing_is_built(folder, options):
    with pytest.raises(DeviceUnavailableError, match=f"here is only {CUDA}, {CPU}"):
        build(folder, signature(), options(), runtime=FakeRuntime(available=(CUDA, CPU)))
