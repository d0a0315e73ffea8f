"""Data capture: sampled requests and answers, as JSON lines in S3, laid out as SageMaker lays them out."""

import base64
import json
import logging
import random
import threading
import uuid
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from localcloud.clock import Clock
from localcloud.physics.descriptions import is_capturing
from localcloud.physics.ports import ObjectStore
from localcloud.physics.records import Request
from localcloud.physics.times import to_datetime

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exchange:
    """One answered request."""

    endpoint: str
    variant: str
    at: float
    request_body: bytes
    request_type: str
    answer_body: bytes
    answer_type: str
    inference_id: str | None
    custom_attributes: str | None


class DataCapture:
    """Collects exchanges, and writes them in batches.

    Parameters
    ----------
    clock, objects
        Time, and S3.
    flush_seconds
        Time from the first exchange of a batch to its writing.
    chance
        Source of the sampling decisions.
    """

    def __init__(
        self, clock: Clock, objects: ObjectStore, flush_seconds: float, chance: random.Random | None = None
    ) -> None:
        self._clock = clock
        self._objects = objects
        self._flush_seconds = flush_seconds
        self._chance = chance or random.Random()
        self._lock = threading.Lock()
        self._lines: dict[str, list[str]] = defaultdict(list)
        self._first_at: dict[str, float] = {}

    def record(self, config: Request | None, exchange: Exchange) -> None:
        """Keep an exchange, if the endpoint captures and the sample falls on it."""
        if config is None or not is_capturing(config):
            return
        if self._chance.random() * 100 >= config["InitialSamplingPercentage"]:
            return
        folder = _folder(config, exchange)
        line = json.dumps(_record(config, exchange))
        with self._lock:
            if not self._lines:
                self._clock.call_later(self._flush_seconds, self.flush)
            self._first_at.setdefault(folder, exchange.at)
            self._lines[folder].append(line)

    def flush(self) -> None:
        """Write what has been collected."""
        with self._lock:
            lines, self._lines = self._lines, defaultdict(list)
            first_at, self._first_at = self._first_at, {}
        for folder, batch in lines.items():
            moment = to_datetime(first_at[folder])
            name = f"{moment:%M-%S}-{moment.microsecond // 1000:03d}-{uuid.uuid4()}.jsonl"
            self._write(f"{folder}/{name}", "\n".join(batch) + "\n")

    def stop(self) -> None:
        """Write what is left."""
        self.flush()

    def _write(self, uri: str, text: str) -> None:
        try:
            self._objects.put(uri, text.encode())
        except Exception:  # capture never disturbs inference, on AWS neither
            _log.exception("captured data could not be written to %s", uri)


def _folder(config: Request, exchange: Exchange) -> str:
    hour = f"{to_datetime(exchange.at):%Y/%m/%d/%H}"
    return f"{config['DestinationS3Uri'].rstrip('/')}/{exchange.endpoint}/{exchange.variant}/{hour}"


def _record(config: Request, exchange: Exchange) -> dict[str, Any]:
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    captured = {}
    if modes & {"Input", "InputAndOutput"}:
        captured["endpointInput"] = _part(config, "INPUT", exchange.request_body, exchange.request_type)
    if modes & {"Output", "InputAndOutput"}:
        captured["endpointOutput"] = _part(config, "OUTPUT", exchange.answer_body, exchange.answer_type)
    metadata: dict[str, Any] = {
        "eventId": str(uuid.uuid4()),
        "inferenceTime": f"{to_datetime(exchange.at):%Y-%m-%dT%H:%M:%SZ}",
    }
    if exchange.inference_id:
        metadata["inferenceId"] = exchange.inference_id
    if exchange.custom_attributes:
        metadata["customAttributes"] = [exchange.custom_attributes]
    return {"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"}


def _part(config: Request, mode: str, body: bytes, content_type: str) -> dict[str, Any]:
    encoding = _encoding(config, content_type)
    data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode(errors="replace")
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


def _encoding(config: Request, content_type: str) -> str:
    """Only content types that the configuration names are written as text."""
    header = config.get("CaptureContentTypeHeader") or {}
    kind = content_type.partition(";")[0].strip().lower()
    if kind in (header.get("CsvContentTypes") or []):
        return "CSV"
    return "JSON" if kind in (header.get("JsonContentTypes") or []) else "BASE64"
