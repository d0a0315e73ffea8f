"""labels put: tell what really happened, by inference id."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tidegate import labels, views
from tidegate.commands.context import Context, open_context
from tidegate.errors import UsageError

_PUT = "store the true answers of requests, so that accuracy is measured and models can be retrained"


def add_to(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    parser = commands.add_parser("labels", help="what really happened: true answers of past requests")
    orders = parser.add_subparsers(required=True)
    order = orders.add_parser("put", parents=[common], help=_PUT, description=f"{_PUT}.")
    order.add_argument("--file", type=Path, required=True, help="CSV with inference_id,label, or JSON lines of both")
    order.set_defaults(run=_put)


def _put(arguments: argparse.Namespace) -> int:
    # Read before anything is asked of AWS: a wrong file is told of at once.
    found = read_file(arguments.file)
    return put(open_context(arguments), found)


def read_file(path: Path) -> list[labels.Label]:
    """Return the labels that a file holds."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "give --file the path of a CSV file") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 (byte {error.start})", "save it as UTF-8") from error
    return labels.read(text, str(path))


def put(context: Context, found: list[labels.Label]) -> int:
    """Store labels and say where they lie."""
    uris = labels.put(context.aws, context.endpoint, found, datetime.now(UTC))
    told = f"{views.count(len(found), 'label')} stored for {context.endpoint.name}:"
    context.show(document(found, uris), "\n".join([told, *uris]))
    return 0


def document(found: list[labels.Label], uris: list[str]) -> dict[str, Any]:
    """Return what was stored, and where."""
    return {"labels": len(found), "files": uris}
