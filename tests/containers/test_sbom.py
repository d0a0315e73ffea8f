"""The bill of materials of each image is valid, and says what its lock says."""

import json
import re

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from model_containers.sbom import CONTEXT, IMAGES, bill_of, pins

each = pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
HASH = "0" * 64


@each
def test_committed_bill_is_current(image):
    assert image.sbom.read_text() == bill_of(image), "run `make sbom`"


@each
def test_bill_is_valid(image):
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(image.sbom.read_text()) is None
    bill = json.loads(image.sbom.read_text())
    known = {one["bom-ref"] for one in [bill["metadata"]["component"], *bill["components"]]}
    assert len(known) == 1 + len(bill["components"]), "each is named once"
    assert {one["ref"] for one in bill["dependencies"]} <= known
    assert {each for one in bill["dependencies"] for each in one.get("dependsOn", ())} == known - {image.name}


@each
def test_bill_has_every_package_with_the_hashes_that_pip_takes(image):
    bill = json.loads(image.sbom.read_text())
    lock = (CONTEXT / image.lock).read_text()
    assert {one["name"] for one in bill["components"]} == set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    for one in bill["components"]:
        assert one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}"
        (files,) = one["externalReferences"]
        entry = re.search(rf"^{re.escape(one['name'])}=={re.escape(one['version'])} [^#]*", lock, re.MULTILINE)
        assert sorted(each["content"] for each in files["hashes"]) == sorted(re.findall(r"sha256:(\w{64})", entry[0]))


def test_only_what_the_image_installs_is_in_it():
    lock = f"""
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:{HASH}
    # via click
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:{HASH}
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:{HASH}
"""
    assert [(pin.name, pin.version) for pin in pins(lock, "3.11")] == [("numpy", "2.4.6")]
    assert [(pin.name, pin.version) for pin in pins(lock, "3.12")] == [("numpy", "2.5.5")]


@pytest.mark.parametrize("line", [f"numpy>=2 --hash=sha256:{HASH}", f"numpy==2.* --hash=sha256:{HASH}", "numpy==2.4.6"])
def test_what_is_not_locked_is_refused(line):
    with pytest.raises(ValueError, match=r"numpy.*run `make lock`"):
        list(pins(line, "3.12"))
