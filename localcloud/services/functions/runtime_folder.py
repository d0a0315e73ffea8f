"""The folder that stands for Lambda's /var/runtime: the runtime and what it brings, and nothing else.

Workers see the function's package and this folder, not the environment that the cloud itself runs in: a dependency that
the package lacks is missing here as it is on Lambda.
"""

import importlib.util
from pathlib import Path

_MODULES = (
    "awslambdaric",
    "runtime_client",
    "snapshot_restore_py",
    "simplejson",
    # Lambda's Python runtimes bring the SDK along.
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "dateutil",
    "urllib3",
    "six",
)


def make_runtime_folder(folder: Path) -> Path:
    """Fill `folder` with links to the installed runtime and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _MODULES:
        source = _location(name)
        link = folder / source.name
        if not link.exists():
            link.symlink_to(source)
    return folder


def _location(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the Lambda runtime needs the module {name}: install requirements-dev.txt")
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin
