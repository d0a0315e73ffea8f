"""The RPC v2 CBOR protocol from the server's side, turned around from botocore's client side."""

from datetime import datetime
from typing import Any

from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer


class CborCodec:
    """Reads requests with botocore's response parser and writes answers with its request serialiser."""

    def __init__(self) -> None:
        self._writer: Any = RpcV2CBORSerializer(timestamp_precision="millisecond")
        self._reader: Any = RpcV2CBORParser()

    def read(self, body: bytes, shape: Any) -> dict[str, Any]:
        """Return the parameters in a request's body."""
        raw = self._reader._initial_body_parse(body) if body else {}
        return dict(self._reader._parse_shape(shape, raw))

    def write(self, result: dict[str, Any], shape: Any) -> bytes:
        """Return an answer's body."""
        body = bytearray()
        self._writer._serialize_data_item(body, result, shape)
        return bytes(body)

    def write_error(self, error: dict[str, Any]) -> bytes:
        """Return an error's body: a flat map, which no shape is needed for."""
        body = bytearray(self._writer._get_initial_byte(self._writer.MAP_MAJOR_TYPE, len(error)))
        for key, value in error.items():
            self._writer._serialize_type_string(body, key, None, None)
            self._write_plain(body, value)
        return bytes(body)

    def _write_plain(self, body: bytearray, value: Any) -> None:
        if isinstance(value, int):
            self._writer._serialize_type_integer(body, value, None, None)
        elif isinstance(value, float):
            self._writer._serialize_type_double(body, value, None, None)
        elif isinstance(value, datetime):
            self._writer._serialize_type_timestamp(body, value, None, None)
        else:
            self._writer._serialize_type_string(body, str(value), None, None)
