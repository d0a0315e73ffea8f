"""Templates change only on purpose. `make snapshot` accepts them as they are."""

import json
import os
import re
from pathlib import Path

import pytest

from stacks.config import environment_names

SNAPSHOTS = Path(__file__).parent / "snapshots"


def normalised(synthesised):
    """Return an environment's templates without the hashes of code and without the CDK's notes to itself."""
    templates = {}
    for name, template in sorted(synthesised.templates.items()):
        resources = {
            key: {field: value for field, value in resource.items() if field != "Metadata"}
            for key, resource in template.body["Resources"].items()
        }
        templates[name] = {**template.body, "Resources": resources}
    text = json.dumps(templates, indent=1, sort_keys=True)
    without_assets = re.sub(r"\b[0-9a-f]{64}\b", "<hash>", text)
    # The CDK names a function's version after its code, so that another code makes another version.
    return re.sub(r"(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}\b", r"\1<hash>", without_assets) + "\n"


@pytest.mark.parametrize("name", environment_names())
def test_templates_are_as_accepted(synthesised, name):
    path = SNAPSHOTS / f"{name}.json"
    current = normalised(synthesised[name])
    if os.environ.get("TIDEGATE_UPDATE_SNAPSHOTS"):
        SNAPSHOTS.mkdir(exist_ok=True)
        path.write_text(current)
    assert path.read_text() == current, "run `make snapshot` if the templates were meant to change"


def test_every_snapshot_has_its_environment():
    assert sorted(path.stem for path in SNAPSHOTS.glob("*.json")) == environment_names()
