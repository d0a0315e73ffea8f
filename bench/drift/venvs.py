"""Environments of the peers, of which one is built from source."""

from pathlib import Path

from bench.serving import venvs

LOCKS = Path(__file__).parent / "peers"


def python(name: str, from_source: tuple[str, ...] = ()) -> Path:
    """Return the interpreter of a peer's environment; `from_source` are packages that have no wheels."""
    return venvs.python(name, LOCKS, from_source)
