"""Work that several test processes need but one does."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def once(name: Path) -> Iterator[bool]:
    """Hold the lock of that name; true until the work under it has succeeded in some process."""
    done = name.with_name(f"{name.name}.done")
    with name.with_name(f"{name.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not done.exists()
        done.touch()
