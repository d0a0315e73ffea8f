"""What a model takes and gives according to its ONNX file, checked against its signature."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import StartError

if TYPE_CHECKING:
    from ..signature import Signature

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}


class UnsupportedModelError(StartError):
    """A model that this container cannot serve, or that is not what its signature says."""


@dataclass(frozen=True)
class OutputTensor:
    """An output.

    Parameters
    ----------
    name
        Its name in the ONNX file.
    dtype
        None for strings, which have no fixed size.
    tail
        Its extents after the rows; None when the file leaves one of them open.
    """

    name: str
    dtype: np.dtype[Any] | None
    tail: tuple[int, ...] | None

    @property
    def is_sized(self) -> bool:
        """Whether its memory can be set aside before a run."""
        return self.dtype is not None and self.tail is not None


@dataclass(frozen=True)
class Tensors:
    """The one input and the outputs of a model.

    Parameters
    ----------
    name, dtype, row_shape
        Of the input.
    fixed_rows
        The one number of rows that the model takes, if it was exported so.
    outputs
        Those of the signature, in its order.
    """

    name: str
    dtype: np.dtype[Any]
    row_shape: tuple[int, ...]
    fixed_rows: int | None
    outputs: tuple[OutputTensor, ...]

    @property
    def output_names(self) -> list[str]:
        """The outputs to ask for."""
        return [each.name for each in self.outputs]

    @property
    def row_bytes(self) -> int:
        """How many bytes a row of input takes."""
        return int(np.prod(self.row_shape, dtype=np.int64)) * self.dtype.itemsize


def read(session: Any, signature: "Signature") -> Tensors:
    """Return what a session's model takes and gives.

    Parameters
    ----------
    session
        An ``onnxruntime.InferenceSession``.
    signature
        The model's signature.

    Raises
    ------
    UnsupportedModelError
        For several inputs, types that are not tensors of numbers, and whatever contradicts the signature.
    """
    inputs = session.get_inputs()
    if len(inputs) != 1:
        names = ", ".join(repr(each.name) for each in inputs)
        raise UnsupportedModelError(
            f"model.onnx has {len(inputs)} inputs ({names}); this container serves models of one: concatenate "
            "them into one tensor when exporting the model, and split it within"
        )
    (given,) = inputs
    if given.name != signature.tensor:
        raise UnsupportedModelError(
            f"model.onnx takes {given.name!r}, signature.json says {signature.tensor!r}; write {given.name!r} there"
        )
    dtype = _DTYPES.get(given.type)
    if dtype is None or not given.shape:
        raise UnsupportedModelError(
            f"input {given.name!r} is a {given.type} of shape {given.shape}; needed are rows of numbers"
        )
    rows = given.shape[0] if isinstance(given.shape[0], int) else None
    return Tensors(given.name, np.dtype(dtype), _row_shape(given, signature), rows, _outputs(session, signature))


def sample_rows(signature: "Signature", tensors: Tensors, rows: int) -> NDArray[np.float32]:
    """Return the signature's sample, repeated to this many rows, in the shape that the model takes."""
    sample = signature.sample.astype(np.float32)
    repeated = sample[np.arange(rows) % len(sample)]
    return repeated.reshape(rows, *tensors.row_shape)


def flat(output: NDArray[Any]) -> NDArray[Any]:
    """Return an output of one value a row without its axis of length one."""
    return output.reshape(len(output)) if output.ndim == 2 and output.shape[1] == 1 else output


def _row_shape(given: Any, signature: "Signature") -> tuple[int, ...]:
    expected = signature.input_shape
    extents = tuple(given.shape[1:])
    agrees = len(extents) == len(expected) and all(
        not isinstance(extent, int) or extent == wanted for extent, wanted in zip(extents, expected, strict=True)
    )
    if not agrees:
        raise UnsupportedModelError(
            f"model.onnx takes rows of shape {extents} in {given.name!r}, signature.json says {expected}; mend the "
            "columns or row_shape there, or export the model anew"
        )
    return expected


def _outputs(session: Any, signature: "Signature") -> tuple[OutputTensor, ...]:
    given = {each.name: each for each in session.get_outputs()}
    outputs = []
    for wanted in signature.outputs:
        if wanted.tensor not in given:
            raise UnsupportedModelError(
                f"signature.json reads output {wanted.name!r} from tensor {wanted.tensor!r}; "
                f"model.onnx gives {sorted(given)}: write one of these there"
            )
        outputs.append(_output(given[wanted.tensor]))
    return tuple(outputs)


def _output(given: Any) -> OutputTensor:
    if not given.type.startswith("tensor("):
        raise UnsupportedModelError(
            f"output {given.name!r} is a {given.type}; needed is a tensor: export without ZipMap (zipmap=False)"
        )
    dtype = _DTYPES.get(given.type)
    tail = tuple(given.shape[1:])
    sized = bool(given.shape) and all(isinstance(extent, int) for extent in tail)
    return OutputTensor(given.name, None if dtype is None else np.dtype(dtype), tail if sized else None)
