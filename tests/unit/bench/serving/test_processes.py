"""A server's processes are found, stopped, measured and ended, children in sessions of their own included."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.serving.processes import Processes, split_cores

# The child leaves the session, as servers' workers do, and writes to a file as long as it may run.
PROGRAM = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
while True:
    sum(range(1000))
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Processes]:
    core, _ = split_cores()
    processes = Processes([sys.executable, "-c", PROGRAM], tmp_path, {}, tmp_path / "log", core)
    _wait(lambda: len(processes.pids()) == 2)
    yield processes
    processes.end()


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_all_are_found_and_ended(server: Processes) -> None:
    assert server.rss_bytes() > 2 * 4e6
    assert 0 < server.pss_bytes() <= server.rss_bytes()
    server.end()
    _wait(lambda: not server.pids())
    assert server.ended


def test_they_stay_on_their_core(server: Processes) -> None:
    import os

    core, other = split_cores()
    assert core != other
    assert [os.sched_getaffinity(pid) for pid in server.pids()] == [{core}] * 2


def test_stopped_they_take_no_processor_time(server: Processes) -> None:
    _wait(lambda: server.cpu_seconds() > 0.1)
    server.pause()
    time.sleep(0.05)
    before = server.cpu_seconds()
    time.sleep(0.2)
    assert server.cpu_seconds() == before
    server.resume()
    _wait(lambda: server.cpu_seconds() > before)
