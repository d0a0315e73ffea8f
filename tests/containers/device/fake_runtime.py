"""An ONNX Runtime with GPUs, as far as the device code sees it: records what it is told, and adds 1 to its input."""

from types import SimpleNamespace
from typing import Any

import numpy as np

TENSORRT, CUDA, CPU = "TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"


class Faults:
    """What goes wrong."""

    def __init__(self):
        self.absent: set[str] = set()
        """Providers that this build has, and that do not load."""
        self.no_graph_session = ""
        """Words with which a session with CUDA graphs is refused."""
        self.no_capture = ""
        """Words with which a capture fails."""
        self.runs_fail = ""
        self.no_pinned = False
        self.no_device_copy = False


class FakeOrtValue:
    def __init__(self, array, place, faults=None):
        self.array = array
        self.place = place
        self.faults = faults
        self.updates: list[Any] = []

    def numpy(self):
        return self.array

    def data_ptr(self):
        return self.array.ctypes.data

    def update_inplace(self, source):
        if isinstance(source, FakeOrtValue) and self.faults.no_device_copy:
            raise TypeError("data must be a numpy.ndarray")
        self.updates.append(source)
        given = source.array if isinstance(source, FakeOrtValue) else source
        assert given.shape == self.array.shape
        assert given.dtype == self.array.dtype
        self.array[...] = given


class FakeOptions:
    def __init__(self):
        self.entries: dict[str, str] = {}

    def add_run_config_entry(self, name, value):
        self.entries[name] = value

    def add_session_config_entry(self, name, value):
        self.entries[name] = value


class FakeBinding:
    def __init__(self, session):
        self.session = session
        self.inputs: dict[str, FakeOrtValue] = {}
        self.outputs: dict[str, FakeOrtValue | tuple[str, int]] = {}
        self.results: dict[str, Any] = {}
        self.is_synchronised = False

    def bind_ortvalue_input(self, name, value):
        self.inputs[name] = value

    def bind_ortvalue_output(self, name, value):
        self.outputs[name] = value

    def bind_output(self, name, device_type, device_id):
        self.outputs[name] = (device_type, device_id)

    def synchronize_outputs(self):
        self.is_synchronised = True

    def copy_outputs_to_cpu(self):
        assert self.is_synchronised, "read before the model was done"
        return [self.results[name].copy() for name in self.outputs]


class FakeSession:
    def __init__(self, runtime, path, options, providers, enable_fallback):
        named = [each if isinstance(each, tuple) else (each, {}) for each in providers]
        self.runtime = runtime
        self.path = path
        self.session_options = options
        self.options = {name: given for name, given in named if name not in runtime.faults.absent}
        self.enable_fallback = enable_fallback
        self.bindings: list[FakeBinding] = []
        self.runs: list[tuple[FakeBinding, str | None]] = []
        self.graphs: dict[str, FakeBinding] = {}
        if self.has_graphs and runtime.faults.no_graph_session:
            raise RuntimeError(runtime.faults.no_graph_session)

    @property
    def has_graphs(self):
        tensorrt = self.options.get(TENSORRT, {}).get("trt_cuda_graph_enable") == "1"
        return tensorrt or self.options.get(CUDA, {}).get("enable_cuda_graph") == "1"

    def get_providers(self):
        return list(self.options)

    def get_inputs(self):
        return self.runtime.inputs

    def get_outputs(self):
        return self.runtime.outputs

    def io_binding(self):
        self.bindings.append(FakeBinding(self))
        return self.bindings[-1]

    def run(self, names, given, options=None):
        (rows,) = given.values()
        return [self.runtime.answer(rows, self.runtime.output(name)) for name in names]

    def run_with_iobinding(self, binding, options=None):
        graph = options.entries.get("gpu_graph_id") if options else None
        self.runs.append((binding, graph))
        if self.runtime.faults.runs_fail:
            raise RuntimeError(self.runtime.faults.runs_fail)
        if self.has_graphs:
            if self.runtime.faults.no_capture:
                raise RuntimeError(self.runtime.faults.no_capture)
            # A graph replays on the addresses that it was captured with, whatever is bound now.
            binding = self.graphs.setdefault(graph or "0", binding)
        (rows,) = (value.array for value in binding.inputs.values())
        for name, target in binding.outputs.items():
            binding.results[name] = self.runtime.answer(rows, self.runtime.output(name))
            if isinstance(target, FakeOrtValue):
                assert target.array.shape == binding.results[name].shape
                target.array[...] = binding.results[name]


class FakeRuntime:
    """Stands for the ``onnxruntime`` module of the GPU package."""

    __version__ = "1.31.1"
    GraphOptimizationLevel = SimpleNamespace(ORT_DISABLE_ALL=0)
    OrtDeviceMemoryType = SimpleNamespace(HOST_ACCESSIBLE=5)
    SessionOptions = FakeOptions
    RunOptions = FakeOptions

    def __init__(self, width=3, tail=(), rows: Any = "rows", available=(TENSORRT, CUDA, CPU)):
        self.faults = Faults()
        self.available = available
        self.inputs = [SimpleNamespace(name="x", type="tensor(float)", shape=[rows, width])]
        self.outputs = [SimpleNamespace(name="y", type="tensor(float)", shape=[rows, *tail])]
        self.sessions: list[FakeSession] = []
        self.OrtValue = SimpleNamespace(
            ortvalue_from_shape_and_type=self._on_device, ortvalue_from_numpy=lambda array: FakeOrtValue(array, "cpu")
        )

    def InferenceSession(self, path, options, providers, enable_fallback=1):
        session = FakeSession(self, path, options, providers, enable_fallback)
        self.sessions.append(session)
        return session

    def get_available_providers(self):
        return list(self.available)

    def get_ep_devices(self):
        if self.faults.no_pinned:
            raise AttributeError("no such call in this release")
        host = SimpleNamespace(ep_name=CPU, memory_info=lambda kind: None)
        return [host, SimpleNamespace(ep_name=CUDA, memory_info=lambda kind: "pinned" if kind == 5 else None)]

    def output(self, name):
        return next(each for each in self.outputs if each.name == name)

    @staticmethod
    def answer(rows, output):
        total = rows.sum(axis=1, dtype=np.float32)
        return total if len(output.shape) == 1 else np.repeat(total[:, None], output.shape[1], axis=1)

    def _on_device(self, shape, element_type, device_type="cpu", device_id=0, memory_info=None):
        return FakeOrtValue(np.zeros(shape, element_type), memory_info or (device_type, device_id), self.faults)
