"""What the README tells a new user to type works, line by line."""

import os
import re
import subprocess
import sys
from pathlib import Path

from stacks.config import ROOT

SECTION = "## Try it by hand"
NOT_RUN = ("make ",)
"""Set-up is what runs this test."""

ENDLESS = "tidegate watch"
IN_THE_END = "1.1.0 is up on green"
UNTIL = Path(__file__).with_name("until.py")


def commands() -> list[str]:
    section = (ROOT / "README.md").read_text().partition(SECTION)[2]
    block = re.search(r"```\n(.*?)```", section, re.DOTALL)
    assert block is not None
    lines = [line.partition("#")[0].strip() for line in block[1].splitlines()]
    return [line for line in lines if line and not line.startswith(NOT_RUN)]


def test_commands_to_try_by_hand(models: Path, tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "models").symlink_to(models)
    lines = [f'python {UNTIL} "{IN_THE_END}" {line}' if ENDLESS in line else line for line in commands()]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail", "-x"],
        input="trap 'python -m tidegate local down' EXIT\n" + "\n".join(lines),
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    assert IN_THE_END in done.stdout
    assert re.search(r"-001 +model +1\.1\.0 +green", done.stdout), done.stdout
