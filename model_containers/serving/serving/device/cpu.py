"""The model on the CPU."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..observability.logs import LOGGER
from ..problems import ModelFailedError
from .tensors import Tensors, flat, sample_rows
from .warm_up import timed, warm_up

if TYPE_CHECKING:
    from ..signature import Signature

BOUND_ROWS = 64
"""Up to this many rows are run through IO binding with memory set aside. For a tiny model that costs four fifths of the
CPU time of a plain run; without memory set aside, binding costs half as much again as a plain run."""

BOUND_BYTES = 16 * 1024
"""Larger input is not copied into memory set aside: the copy would cost what binding saves."""


class CpuSession:
    """Implements `session.Session` on the CPU: any number of rows, unless the model was exported for one.

    Parameters
    ----------
    runtime
        The ``onnxruntime`` module.
    session
        An ``onnxruntime.InferenceSession``.
    tensors
        What its model takes and gives.
    """

    def __init__(self, runtime: Any, session: Any, tensors: Tensors) -> None:
        self.providers: Sequence[str] = tuple(session.get_providers())
        self.buckets: Sequence[int] = () if tensors.fixed_rows is None else (tensors.fixed_rows,)
        self.bucket_seconds: Sequence[float] = ()
        self._runtime = runtime
        self._session = session
        self._tensors = tensors
        self._names = tensors.output_names
        self._memory = _Memory(tensors)
        self._bound: dict[int, _Bound] = {}

    def run(self, rows: NDArray[np.float32]) -> tuple[NDArray[Any], ...]:
        """Run the model; see `session.Session`."""
        try:
            count = len(rows)
            bound = self._bound.get(count)
            if bound is None:
                if not 0 < count <= self._memory.rows:
                    return self._run_plainly(rows)
                bound = self._bound[count] = _Bound(self._runtime, self._session, self._tensors, self._memory, count)
            return bound.run(rows)
        except Exception as error:  # ONNX Runtime's errors share no base of their own.
            raise ModelFailedError(str(error)) from error

    def warm_up(self, signature: "Signature") -> None:
        """Run the sample, and stop binding if that answers other than a plain run."""
        self._check_binding(signature)
        warm_up(self, signature, self._tensors, self._tensors.fixed_rows or len(signature.sample))
        if self.buckets:
            self.bucket_seconds = (timed(self, signature, self._tensors, self.buckets[0]),)

    def _run_plainly(self, rows: NDArray[np.float32]) -> tuple[NDArray[Any], ...]:
        given = {self._tensors.name: rows.astype(self._tensors.dtype, copy=False)}
        return tuple(flat(np.asarray(each)) for each in self._session.run(self._names, given))

    def _check_binding(self, signature: "Signature") -> None:
        # The extents in an ONNX file are a promise that nobody keeps for certain.
        limit, self._memory.rows = self._memory.rows, 0
        if limit == 0:
            return
        samples = [sample_rows(signature, self._tensors, count) for count in (self.buckets or (1, 2))]
        plain = [self.run(each) for each in samples]
        self._memory.rows = limit
        if not all(self._agrees(*each) for each in zip(samples, plain, strict=True)):
            self._bound, self._memory.rows = {}, 0

    def _agrees(self, rows: NDArray[np.float32], expected: tuple[NDArray[Any], ...]) -> bool:
        try:
            return all(_equal(*pair) for pair in zip(self.run(rows), expected, strict=True))
        except ModelFailedError as error:
            LOGGER.debug("no IO binding", extra={"reason": str(error)})
            return False


class _Memory:
    """Memory for the input and the outputs of up to `rows` rows; fewer rows use its beginning."""

    def __init__(self, tensors: Tensors) -> None:
        fits = min(BOUND_ROWS, BOUND_BYTES // max(1, tensors.row_bytes))
        self.rows = fits if all(each.is_sized for each in tensors.outputs) else 0
        self.input = np.zeros((self.rows, *tensors.row_shape), tensors.dtype)
        self.outputs = [np.zeros((self.rows, *(each.tail or ())), each.dtype) for each in tensors.outputs if self.rows]


class _Bound:
    """A binding for one number of rows."""

    def __init__(self, runtime: Any, session: Any, tensors: Tensors, memory: _Memory, count: int) -> None:
        self._run = session.run_with_iobinding
        self._binding = session.io_binding()
        self._input = memory.input[:count]
        self._outputs = [flat(each[:count]) for each in memory.outputs]
        value = runtime.OrtValue.ortvalue_from_numpy
        self._binding.bind_ortvalue_input(tensors.name, value(self._input))
        for name, output in zip(tensors.output_names, memory.outputs, strict=True):
            self._binding.bind_ortvalue_output(name, value(output[:count]))

    def run(self, rows: NDArray[np.float32]) -> tuple[NDArray[Any], ...]:
        if rows.shape != self._input.shape:  # numpy would stretch a single column over all of them
            raise ValueError(f"rows have shape {rows.shape}; the model takes {self._input.shape}")
        self._input[...] = rows
        self._run(self._binding)
        return tuple(each.copy() for each in self._outputs)


def _equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
