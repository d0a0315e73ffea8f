"""A server's processes: pinned to one core, stopped while it is not their turn, and what they have taken.

A server may be many processes, some of them in sessions of their own; a mark in the environment, which children
inherit, finds them all. Linux only: it reads ``/proc``.
"""

import os
import signal
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.errors import BenchError

MARK = "BENCH_SERVER"
STOP_SECONDS = 8.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


class CoresError(BenchError):
    """There are too few cores to keep the server and the load generator apart."""


def split_cores() -> tuple[int, int]:
    """Return the server's core and the generator's.

    Raises
    ------
    CoresError
        On a machine with one.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise CoresError(
            "the server and the load generator need a core each, and this process may use one only: "
            "what is measured would be how they share it"
        )
    return cores[0], cores[1]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Keep this thread, and the processes that it starts, on one core meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Processes:
    """All processes of one server.

    Parameters
    ----------
    command, folder, environment, log
        What to start, where, with what beside this process's environment, and where its output goes.
    core
        The one that they may use.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path, core: int
    ) -> None:
        self._mark = f"{MARK}={uuid.uuid4().hex}"
        name, _, value = self._mark.partition("=")
        with log.open("wb") as output, on_core(core):
            self._leader = subprocess.Popen(
                list(command),
                cwd=folder,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment, name: value},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        """Whether the process that was started is gone."""
        return self._leader.poll() is not None

    def pids(self) -> list[int]:
        """Return the processes that there are now."""
        mark = self._mark.encode()
        return [int(each.name) for each in _PROC.iterdir() if each.name.isdigit() and _is_marked(each, mark)]

    def pause(self) -> None:
        """Stop them all, so that nobody polls in another's turn."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them all go on."""
        self._signal(signal.SIGCONT)

    def cpu_seconds(self) -> float:
        """Return the processor time that they have taken, all threads."""
        return sum(_cpu_ticks(pid) for pid in self.pids()) / _TICKS

    def rss_bytes(self) -> int:
        """Return their resident memory, added up: pages that two of them share count twice."""
        return sum(_memory(pid, "status", "VmRSS:") for pid in self.pids())

    def pss_bytes(self) -> int:
        """Return their memory with shared pages counted in parts."""
        return sum(_memory(pid, "smaps_rollup", "Pss:") for pid in self.pids())

    def end(self) -> None:
        """Ask the leader to end, wait, and kill whatever is left."""
        self.resume()
        self._leader.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._leader.wait(STOP_SECONDS)
        self._signal(signal.SIGKILL)
        self._leader.wait()

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _is_marked(process: Path, mark: bytes) -> bool:
    try:
        return mark in (process / "environ").read_bytes()
    except OSError:  # ended meanwhile, or another user's
        return False


def _cpu_ticks(pid: int) -> int:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return 0
    after_name = stat.rpartition(")")[2].split()
    return int(after_name[11]) + int(after_name[12])


def _memory(pid: int, file: str, field: str) -> int:
    try:
        lines = (_PROC / str(pid) / file).read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)
