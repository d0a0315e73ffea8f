"""The container's HTTP beside granian's (RSGI), for bodies from a hundred bytes to megabytes.

``python -m bench.serving.large_bodies PYTHON``, where PYTHON is an interpreter that has granian and all that the
container has. Answers per second of the server's processor time, turn by turn: the model is a
stub.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.connection import post_request
from bench.load import LoadGenerator
from bench.serving.processes import on_core, split_cores
from stacks.config import ROOT

SIZES = (160, 60_000, 600_000, 6_000_000)
CLIENTS = (1, 8)
ROUNDS, SECONDS = 7, 0.5
START_SECONDS = 3.0
LARGEST = 25 * 1024 * 1024
PORTS = {"http1": 9471, "granian": 9472}
ANSWER = b'{"predictions":[[0.5]]}'
JSON = "application/json"


def main(interpreter: str) -> int:
    """Measure and print the ratios."""
    server_core, own_core = split_cores()
    with tempfile.TemporaryFile() as log, on_core(server_core):
        servers = {
            name: subprocess.Popen([interpreter, __file__, name], cwd=ROOT, stdout=log, stderr=log) for name in PORTS
        }
    os.sched_setaffinity(0, {own_core})
    try:
        time.sleep(START_SECONDS)
        for size in SIZES:
            for clients in CLIENTS:
                print(_compared(servers, size, clients), flush=True)
    finally:
        for server in servers.values():
            server.kill()
    return 0


def _compared(servers: dict[str, "subprocess.Popen[bytes]"], size: int, clients: int) -> str:
    request = post_request("/invocations", "application/x-npy", bytes(size), "*/*")
    load, ratios, rates = LoadGenerator(), [], dict.fromkeys(servers, 0.0)
    for _ in range(ROUNDS):
        for name, server in servers.items():
            before = _cpu_seconds(server.pid)
            answered = load.measure(PORTS[name], [request] * clients, SECONDS).answered
            rates[name] = answered / (_cpu_seconds(server.pid) - before)
        ratios.append(rates["http1"] / rates["granian"])
    return f"{size:>9} bytes, {clients} clients: http1 / granian {statistics.median(ratios):.2f}; last round {rates}"


def _cpu_seconds(pid: int) -> float:
    return time.clock_gettime((~pid << 3) | 2)  # Linux's clock of another process (MAKE_PROCESS_CPUCLOCK)


def serve(name: str) -> None:
    """Be a server."""
    import uvloop

    uvloop.run(_serve_http1() if name == "http1" else _serve_granian())


async def _serve_http1() -> None:
    from model_containers.serving.serving.answers import Answer
    from model_containers.serving.serving.budget import Budget
    from model_containers.serving.serving.http1 import Connection, Front, Reply, Request
    from model_containers.serving.serving.memory import keep_freed_memory

    def answer(_request: Request, reply: Reply) -> None:
        reply(Answer(200, JSON, ANSWER))

    keep_freed_memory()
    front = Front(answer, Budget(16 * LARGEST), LARGEST, 75.0)
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: Connection(front), "127.0.0.1", PORTS["http1"])
    await asyncio.Event().wait()


async def _serve_granian() -> None:
    from granian.constants import HTTPModes  # type: ignore[import-not-found]
    from granian.server.embed import Server  # type: ignore[import-not-found]

    async def answer(_scope: object, protocol: object) -> None:
        await protocol()  # type: ignore[operator]
        protocol.response_bytes(200, [("content-type", JSON)], ANSWER)  # type: ignore[attr-defined]

    await Server(answer, port=PORTS["granian"], http=HTTPModes.http1, websockets=False, log_enabled=False).serve()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    serve(sys.argv[1]) if sys.argv[1] in PORTS else sys.exit(main(sys.argv[1]))
