"""What can be said of the training image without Docker."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.containers.training.jobs import ROOT

DOCKERFILE = ROOT / "model_containers" / "training" / "Dockerfile"
TEXT = DOCKERFILE.read_text()
COPIES = re.findall(r"^COPY (\S+) \./(\S*)$", TEXT, re.MULTILINE)


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    found = subprocess.run([hadolint, "--no-color", DOCKERFILE], check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_base_is_pinned_and_packages_come_by_hash() -> None:
    assert re.search(r"^FROM python:\d+\.\d+\.\d+-slim-\w+$", TEXT, re.MULTILINE)
    assert "--require-hashes --only-binary=:all:" in TEXT


def test_the_steps_start_from_what_is_copied_and_nothing_else(tmp_path: Path) -> None:
    """Whatever they import of the repository has to be in the image."""
    for source, target in COPIES:
        if source.endswith("requirements.txt"):
            continue
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        ignored = shutil.ignore_patterns("__pycache__")
        path = ROOT / source
        shutil.copytree(path, tmp_path / target, ignore=ignored) if path.is_dir() else shutil.copy(
            path, tmp_path / target
        )

    modules = "prepare, challenger, evaluate, checks"
    program = f"from model_containers.training.steps import {modules}; print(prepare.__file__)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
