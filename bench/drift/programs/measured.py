"""Runs a command, and says what it took: ``python measured.py OUTPUT COMMAND...``.

A process of its own, because a program's greatest resident set begins at that of the process that started it.
"""

import json
import os
import sys
from pathlib import Path


def main(output: str, *command: str) -> int:
    """Run; write user and system seconds and the greatest resident set in KiB; return the command's status."""
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    Path(output).write_text(json.dumps({"cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss}))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
