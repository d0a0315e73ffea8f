"""An inference request's JSON, as msgspec reads it; fields that mean nothing here are passed over."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from ...problems import malformed

Extent = Annotated[int, Meta(ge=0)]
MOST_AXES = 32


class InputParameters(Struct, frozen=True):
    """Parameters of an input; with `binary_data_size` its data follow the JSON, in so many bytes."""

    binary_data_size: Extent | UnsetType = UNSET
    shared_memory_region: str | UnsetType = UNSET


class Input(Struct):
    """A tensor sent: its data here, nested or flat and row by row, or after the JSON."""

    name: str
    shape: Annotated[list[Extent], Meta(max_length=MOST_AXES)]
    datatype: str
    data: Raw | UnsetType = UNSET
    parameters: InputParameters = InputParameters()


class OutputParameters(Struct, frozen=True):
    """Parameters of an output asked for."""

    binary_data: bool | UnsetType = UNSET
    classification: int | UnsetType = UNSET


class AskedOutput(Struct):
    """An output asked for."""

    name: str
    parameters: OutputParameters = OutputParameters()


class RequestParameters(Struct, frozen=True):
    """Parameters of a request."""

    binary_data_output: bool = False


class Request(Struct):
    """A request; without `outputs` it asks for all of them."""

    inputs: list[Input]
    id: str | UnsetType = UNSET
    outputs: list[AskedOutput] = []
    parameters: RequestParameters = RequestParameters()


_decode = msgspec.json.Decoder(Request).decode


def parse(head: bytes) -> Request:
    """Return the request that the JSON part of a body holds.

    Raises
    ------
    ProblemError
        Status 400.
    """
    try:
        return _decode(head)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise malformed(f"the body is not an inference request: {str(error)[:200]}") from error
