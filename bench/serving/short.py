"""The serving container against its two limits, ONNX Runtime alone and HTTP alone: the part of ``make bench``."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import onnxruntime

from bench import recorded_day
from bench.comparison import Comparison
from bench.load import LoadGenerator
from bench.rounds import Measure, Rounds, Tell, take_turns
from bench.servers import constant_server, serving_container, unpack_bootstrap

ROUNDS = 5
TURNS = 2
SECONDS = 0.2
LIMIT_SECONDS = 0.08
CLIENTS = (1, 8)
CONTAINER, RUNTIME, HTTP = "serving container", "raw ONNX Runtime", "constant ASGI app"
GROUP = "Serving, requests a second"


def measure(folder: Path, load: LoadGenerator, tell: Tell) -> list[Comparison]:
    """Compare requests a second for each format and number of clients."""
    model = unpack_bootstrap(folder / "model")
    with ExitStack() as stack:
        container = stack.enter_context(serving_container(model, folder / "serving.log"))
        constant = stack.enter_context(constant_server(folder / "constant.log"))
        runtime = _runtime_rate(model)
        return [
            comparison
            for clients in CLIENTS
            for body in recorded_day.bodies()
            for comparison in _compare(
                f"{body.name}, {_clients(clients)}",
                {
                    CONTAINER: _http_rate(load, container, body, clients),
                    HTTP: _http_rate(load, constant, body, clients),
                    RUNTIME: runtime,
                },
                tell,
            )
        ]


def _clients(count: int) -> str:
    return "1 client" if count == 1 else f"{count} clients"


def _http_rate(load: LoadGenerator, port: int, body: recorded_day.Body, clients: int) -> Measure:
    request = body.request()
    return lambda: load.rate(port, request, clients, SECONDS)


def _runtime_rate(model: Path) -> Measure:
    run = _prediction(model)

    def rate() -> float:
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < LIMIT_SECONDS:
            run()
            count += 1
        return count / (time.perf_counter() - began)

    return rate


def _prediction(model: Path) -> Callable[[], Any]:
    """Return one inference of one row, with the session set up as the container does on a small machine."""
    signature = json.loads((model / "signature.json").read_text(encoding="utf-8"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(model / "model.onnx"), options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: recorded_day.array()}
    outputs = [each["tensor"] for each in signature["outputs"]]
    return lambda: session.run(outputs, feed)


def _compare(case: str, measures: Mapping[str, Measure], tell: Tell) -> list[Comparison]:
    rounds = take_turns(ROUNDS, TURNS, measures, lambda text: tell(f"serving, {case}: {text}"))
    return [
        _share(
            rounds,
            case,
            HTTP,
            f"With {case}, the container answers {{ratio}} of the requests that this HTTP server could answer at all; "
            "the rest is reading, checking, inference and writing.",
        ),
        _share(
            rounds,
            case,
            RUNTIME,
            f"With {case}, the container delivers {{ratio}} of the inferences that the model could do in a bare loop; "
            "the rest is the price of being a server.",
        ),
    ]


def _share(rounds: Rounds, case: str, peer: str, meaning: str) -> Comparison:
    return Comparison(
        group=GROUP,
        subject=f"{CONTAINER}, {case}",
        peer=peer,
        style="share",
        rounds=rounds.ratios(CONTAINER, peer),
        meaning=meaning,
        details={f"{name}, requests a second": rounds.median(name) for name in (CONTAINER, peer)},
    )
