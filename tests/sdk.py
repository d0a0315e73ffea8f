"""A virtual environment with the SageMaker SDK: 731 MB, so it is made once and kept."""

import subprocess
import sys
from pathlib import Path

from tests.once import once

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / ".venv-sagemaker"


def sdk_python() -> str:
    """Return the Python of the environment, made when first needed; test processes that need it too wait."""
    python = ENVIRONMENT / "bin" / "python"
    (ROOT / "build").mkdir(exist_ok=True)
    with once(ROOT / "build" / "venv-sagemaker"):
        complete = ENVIRONMENT / ".complete"
        if not complete.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
            # uv, because pip takes minutes over this many hashes.
            install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, "--require-hashes"]
            subprocess.run([*install, "-r", ROOT / "requirements-sagemaker.txt"], check=True)
            complete.touch()
    return str(python)
