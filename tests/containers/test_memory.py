"""What large bodies leave behind is used again, instead of being fetched from the kernel each time."""

import platform
import subprocess
import sys

import pytest

from .conftest import CONTEXT

_PROGRAM = """
import resource, sys
from serving.memory import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def crowd():
    bodies = [bytes(600_000) for _ in range(8)]

if sys.argv[1] == "kept":
    assert keep_freed_memory()
for _ in range(3):
    crowd()
before = faults()
for _ in range(10):
    crowd()
print(faults() - before)
"""


def faults(how: str) -> int:
    """Return the pages that ten crowds of bodies fetched."""
    command = [sys.executable, "-c", _PROGRAM, how]
    return int(subprocess.run(command, cwd=CONTEXT, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such setting")
def test_bodies_take_the_memory_that_earlier_ones_left():
    assert faults("kept") < 100 < faults("as it comes")
