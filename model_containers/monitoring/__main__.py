"""``python -m model_containers.monitoring job``, and ``erase``."""

import argparse
import contextlib
import ctypes
import logging
import os
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""`mallopt`'s parameters M_TRIM_THRESHOLD and M_MMAP_THRESHOLD."""
_KEPT_BYTES = 32 * 1024 * 1024


def main(arguments: list[str]) -> int:
    """Run a command; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    # One thread does all; Polars would keep others waiting for work, which costs CPU time. It reads this on import.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    parser = argparse.ArgumentParser(prog="python -m model_containers.monitoring", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("job", help="count a window's captures, as a SageMaker Processing job")
    commands.add_parser("erase", help="take a subject's rows out of the audit, as a SageMaker Processing job")
    command = parser.parse_args(arguments).command
    _keep_freed_memory()
    from . import erasing, job  # after the environment is set

    return {"job": job.run, "erase": erasing.run}[command]()


def _keep_freed_memory() -> None:
    """Have glibc reuse large blocks; by default it asks the kernel for zeroed pages each time, a tenth of all time."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
        libc.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
