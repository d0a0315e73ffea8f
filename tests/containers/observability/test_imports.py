"""What is imported when: the socket must answer soon, and not every image has every library."""

import subprocess
import sys
from pathlib import Path

import pytest

CONTEXT = Path(__file__).parents[3] / "model_containers" / "serving"


@pytest.mark.parametrize(
    ("module", "absent"),
    [("serving.observability.logs", "numpy"), ("serving.artefact", "cryptography"), ("serving.artefact", "numpy")],
)
def test_what_is_slow_or_optional_is_not_imported(module, absent):
    script = f"import sys, {module}; sys.exit({absent!r} in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], cwd=CONTEXT, check=False).returncode == 0
