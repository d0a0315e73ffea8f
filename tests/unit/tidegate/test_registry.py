from __future__ import annotations

import io
import random
import tarfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas import contract, signing
from lambdas.monitoring.adapters.versions import BASELINE_NAME
from stacks.config import ROOT
from tidegate import registry
from tidegate.errors import OperatorError, UsageError
from tidegate.settings import EndpointSettings, find_endpoint


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return archive(tmp_path / "model.tar.gz", "weights")


def archive(path: Path, content: str) -> Path:
    inside = path.with_suffix(".txt")
    inside.write_text(content)
    with tarfile.open(path, "w:gz") as file:
        for name in registry.MODEL_FILES:
            file.add(inside, arcname=name)
    return path


def test_registering_uploads_the_model_and_waits_for_approval(
    account: Any, endpoint: EndpointSettings, model: Path
) -> None:
    done = registry.register(account.aws, endpoint, model=model, version="1.1.0")
    assert done.created
    assert done.package.approval == "PendingManualApproval"
    assert done.package.version == "1.1.0"
    assert done.package.image == endpoint.image
    digest = registry.sha256(model)
    assert done.package.model_data == f"s3://{endpoint.artefact_bucket}/rain-local/1.1.0/{digest}/model.tar.gz"
    assert account.s3.objects[done.package.model_data] == model.read_bytes()


def test_registering_the_same_file_again_changes_nothing(account: Any, endpoint: EndpointSettings, model: Path) -> None:
    first = registry.register(account.aws, endpoint, model=model, version="1.1.0")
    again = registry.register(account.aws, endpoint, model=model, version="1.1.0")
    assert not again.created
    assert again.package == first.package
    assert len(account.sagemaker.packages) == 1


def test_a_version_never_changes_what_it_holds(
    account: Any, endpoint: EndpointSettings, model: Path, tmp_path: Path
) -> None:
    registry.register(account.aws, endpoint, model=model, version="1.1.0")
    other = archive(tmp_path / "other.tar.gz", "other weights")
    with pytest.raises(UsageError, match="registered with another file") as raised:
        registry.register(account.aws, endpoint, model=other, version="1.1.0")
    assert "new --version" in raised.value.hint
    assert {uri.rpartition("/")[2] for uri in account.s3.objects} == {"model.tar.gz", "signature.json"}
    assert len(account.s3.objects) == 2


def test_the_card_is_kept_beside_the_model(
    account: Any, endpoint: EndpointSettings, model: Path, tmp_path: Path
) -> None:
    card = tmp_path / "anything.json"
    card.write_text("{}")
    done = registry.register(account.aws, endpoint, model=model, version="1.1.0", card=card)
    uri = done.package.model_data.replace("model.tar.gz", "card.json")
    assert account.s3.objects[uri] == b"{}"
    metrics = account.sagemaker.packages[0]["ModelMetrics"]
    assert metrics["ModelQuality"]["Statistics"]["S3Uri"] == uri


def with_baseline(path: Path, text: bytes) -> Path:
    content = {"model.onnx": b"weights", "signature.json": b"{}", "baseline.json": text}
    with tarfile.open(path, "w:gz") as file:
        for name, each in content.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(each)
            file.addfile(member, io.BytesIO(each))
    return path


def test_a_baseline_in_the_archive_is_put_where_the_monitor_looks_for_it(
    account: Any, endpoint: EndpointSettings, tmp_path: Path
) -> None:
    text = (ROOT / "model_containers/bootstrap/rain/baseline.json").read_bytes()
    done = registry.register(
        account.aws, endpoint, model=with_baseline(tmp_path / "model.tar.gz", text), version="1.1.0"
    )
    assert account.s3.objects[done.package.model_data.replace("model.tar.gz", BASELINE_NAME)] == text
    assert account.s3.objects[done.package.model_data.replace("model.tar.gz", "signature.json")] == b"{}"


def test_a_baseline_that_the_monitor_could_not_read_is_refused(
    account: Any, endpoint: EndpointSettings, tmp_path: Path
) -> None:
    model = with_baseline(tmp_path / "model.tar.gz", b'{"schema_version": 1}')
    with pytest.raises(UsageError, match=r"baseline\.json in .* cannot be read"):
        registry.register(account.aws, endpoint, model=model, version="1.1.0")
    assert account.s3.objects == {}


@pytest.mark.parametrize("version", ["", "../1", "1.0 0", "-1", "v" * 65])
def test_a_version_that_cannot_be_part_of_a_key_is_refused(version: str) -> None:
    with pytest.raises(UsageError, match="is not allowed"):
        registry.check_version(version)


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        registry.check_artefact(tmp_path / "model.tar.gz")


def test_a_file_that_sagemaker_could_not_unpack_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "model.tar.gz"
    path.write_bytes(b"not an archive")
    with pytest.raises(UsageError, match="not a gzip-compressed tar") as raised:
        registry.check_artefact(path)
    assert "tar -czf" in raised.value.hint


def pack(path: Path, *names: str) -> Path:
    """Make an archive of empty files."""
    with tarfile.open(path, "w:gz") as file:
        for name in names:
            file.addfile(tarfile.TarInfo(name))
    return path


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        ([], "has no model.onnx and no signature.json at its root"),
        (["model.onnx"], "has no signature.json at its root"),
        (["signature.json", "README.md"], "has no model.onnx at its root"),
    ],
)
def test_an_archive_without_a_model_names_what_is_missing(tmp_path: Path, names: list[str], missing: str) -> None:
    with pytest.raises(UsageError, match=missing) as raised:
        registry.check_artefact(pack(tmp_path / "model.tar.gz", *names))
    assert "tar -czf model.tar.gz -C <model folder> model.onnx signature.json" in raised.value.hint


def test_files_that_lie_deeper_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no model") as raised:
        registry.check_artefact(pack(tmp_path / "model.tar.gz", "out/model.onnx", "out/signature.json"))
    assert raised.value.hint.startswith("it has out/model.onnx, out/signature.json: make one with")


def test_an_archive_made_with_a_dot_is_good(tmp_path: Path) -> None:
    registry.check_artefact(pack(tmp_path / "model.tar.gz", "./model.onnx", "./signature.json", "./labels.txt"))


def test_an_archive_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    whole = archive(tmp_path / "model.tar.gz", random.Random(1).randbytes(100_000).hex())
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole.read_bytes()[:50_000])
    with pytest.raises(UsageError, match="not a gzip-compressed tar"):
        registry.check_artefact(cut)


def test_approving_approved_changes_nothing(account: Any, endpoint: EndpointSettings, model: Path) -> None:
    package = registry.register(account.aws, endpoint, model=model, version="1.1.0").package
    assert registry.decide(account.aws, package, "Approved", "measured better")
    approved = registry.find(account.aws, endpoint.name, "1.1.0")
    assert approved.approval == "Approved"
    assert not registry.decide(account.aws, approved, "Approved")
    assert len(account.sagemaker.updates) == 1
    assert account.sagemaker.updates[0]["ApprovalDescription"] == "measured better"


def test_an_unknown_version_is_told_with_those_that_exist(
    account: Any, endpoint: EndpointSettings, model: Path
) -> None:
    registry.register(account.aws, endpoint, model=model, version="1.1.0")
    with pytest.raises(UsageError, match=r"no version '9'; registered: 1\.1\.0"):
        registry.find(account.aws, endpoint.name, "9")


def test_versions_are_listed_oldest_first_from_every_page(
    account: Any, endpoint: EndpointSettings, model: Path, tmp_path: Path
) -> None:
    registry.register(account.aws, endpoint, model=model, version="1.1.0")
    registry.register(account.aws, endpoint, model=archive(tmp_path / "b.tar.gz", "b"), version="1.2.0")
    assert [package.version for package in registry.packages(account.aws, "rain-local")] == ["1.1.0", "1.2.0"]


KEY = "arn:aws:kms:us-east-1:123456789012:key/1"


def metadata(account: Any) -> dict[str, str]:
    (package,) = account.sagemaker.packages
    return dict(package["CustomerMetadataProperties"])


def test_version_is_signed_where_the_environment_names_a_key(account: Any, model: Path) -> None:
    account.deploy(signing_key=KEY)
    endpoint = find_endpoint(account.aws, "local", None)
    done = registry.register(account.aws, endpoint, model=model, version="1.1.0")
    statement = signing.Statement(done.package.model_data, registry.sha256(model), "1.1.0", "rain-local")
    assert account.kms.signed == [statement.message]
    found = signing.read(metadata(account), {"ModelDataUrl": done.package.model_data}, "rain-local")
    assert (found.statement, found.key) == (statement, KEY)


def test_version_is_not_signed_where_no_key_is_named(account: Any, endpoint: EndpointSettings, model: Path) -> None:
    registry.register(account.aws, endpoint, model=model, version="1.1.0")
    assert metadata(account) == {contract.PACKAGE_VERSION_KEY: "1.1.0"}
    assert account.kms.signed == []


def test_registering_again_signs_what_was_not(account: Any, endpoint: EndpointSettings, model: Path) -> None:
    registry.register(account.aws, endpoint, model=model, version="1.1.0")
    account.deploy(signing_key=KEY)
    for _ in range(2):
        done = registry.register(account.aws, find_endpoint(account.aws, "local", None), model=model, version="1.1.0")
    assert not done.created
    assert len(account.kms.signed) == 1
    assert metadata(account)[contract.PACKAGE_SIGNING_KEY_KEY] == KEY
    assert metadata(account)[contract.PACKAGE_VERSION_KEY] == "1.1.0"


def test_whoever_may_not_sign_is_told_what_is_needed_and_registers_nothing(account: Any, model: Path) -> None:
    account.deploy(signing_key=KEY)
    denied: Any = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized to perform: kms:Sign"}}
    account.kms.error = ClientError(denied, "Sign")
    with pytest.raises(OperatorError, match="could not be signed, so that it is not registered") as raised:
        registry.register(account.aws, find_endpoint(account.aws, "local", None), model=model, version="1.1.0")
    assert f"kms:Sign on {KEY}" in raised.value.hint
    assert account.sagemaker.packages == []
