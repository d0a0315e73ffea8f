"""Bytes of installed distributions: ``python installed_size.py NAME...``."""

import sys
from importlib.metadata import files
from pathlib import Path


def main(*names: str) -> None:
    """Print their sum; compiled Python files are left out."""
    paths = (Path(str(file.locate())) for name in names for file in files(name) or [])
    print(sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file()))


if __name__ == "__main__":
    main(*sys.argv[1:])
