"""``python -m serving digest``: print the digest of a model, to configure or to sign."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .errors import ArtefactError
from .inventory import take
from .prepare import prepare

SUCCESS, FAILURE = 0, 1


def main(arguments: Sequence[str]) -> int:
    """Run ``digest`` with its arguments; print the digest, or what is wrong, and return the exit status."""
    parser = argparse.ArgumentParser("python -m serving digest", description=__doc__)
    parser.add_argument("--model-dir", type=Path, required=True, help="a folder with the files, or with one *.tar.gz")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            digest = take(prepare(given.model_dir, Path(scratch))).digest
        except ArtefactError as error:
            sys.stderr.write(f"{error}\n")
            return FAILURE
    sys.stdout.write(f"{digest}\n")
    return SUCCESS
