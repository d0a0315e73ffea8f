"""Runs a command until it has printed a text, then interrupts it as Ctrl-C does: python until.py TEXT COMMAND ..."""

import signal
import subprocess
import sys
import threading

PATIENCE_SECONDS = 120
"""Bound on the wait for the text, and on that for the command's end."""


def run_until(text: str, command: list[str]) -> bool:
    """Pass the command's output on; return whether the text was in it."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        killer = threading.Timer(PATIENCE_SECONDS, process.kill)
        killer.start()
        found = _read_until(text, process)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate()
        killer.cancel()
    sys.stdout.write(rest)
    return found


def _read_until(text: str, process: "subprocess.Popen[str]") -> bool:
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        sys.stdout.write(line)
        seen = f"{seen} {' '.join(line.split())}"  # a long line may have been broken anywhere
        if text in seen:
            return True
    return False


if __name__ == "__main__":
    sys.exit(0 if run_until(sys.argv[1], sys.argv[2:]) else "the text never came")
