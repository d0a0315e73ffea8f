"""What the operating system knows of this process."""

import os
import resource
from contextlib import suppress
from pathlib import Path

_STATM = Path("/proc/self/statm")


def resident_bytes() -> int:
    """Return the memory that this process holds, in bytes (elsewhere than on Linux: the most that it has held)."""
    with suppress(OSError, ValueError, IndexError):
        return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def cpu_seconds() -> float:
    """Return the processor time that this process has used, in seconds."""
    times = os.times()
    return times.user + times.system
