"""ONNX Runtime in a bare loop, as a process of its own: ``python -m bench.serving.raw FOLDER``.

Every line on standard input is ``<rows of a batch> <seconds>``; every line of the answer a JSON object. It loads
nothing but what the model needs, so that its memory and its start are the least that there can be.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from bench.serving.peers.bench_model import MAX_BATCH, Model, load


def main() -> None:
    """Load the model, say how long that took, and run what is asked for."""
    began = time.perf_counter()
    folder = Path(sys.argv[1])
    model = load(folder)
    _say({"load_seconds": time.perf_counter() - began})
    sample = json.loads((folder / "signature.json").read_text(encoding="utf-8"))["sample"]
    rows = np.repeat(np.array(sample, dtype=np.float32)[:1], MAX_BATCH, axis=0)
    for line in sys.stdin:
        batch, seconds = line.split()
        _say(_loop(model, rows[: int(batch)], float(seconds)))


def _loop(model: Model, rows: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]", seconds: float) -> dict[str, float]:
    times: list[float] = []
    busy, ended = time.process_time(), time.perf_counter() + seconds
    while (began := time.perf_counter()) < ended or not times:
        model.run(rows)
        times.append(time.perf_counter() - began)
    times.sort()
    return {
        "rate": len(rows) * len(times) / sum(times),
        "p50": times[len(times) // 2],
        "p99": times[int(0.99 * (len(times) - 1))],
        "cpu_seconds": (time.process_time() - busy) / (len(rows) * len(times)),
    }


def _say(content: dict[str, float]) -> None:
    print(json.dumps(content), flush=True)


if __name__ == "__main__":
    main()
