"""Reading cloud assemblies and publishing their assets."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.deploy.assembly import read_assembly
from localcloud.deploy.assets import Publisher, zip_folder
from localcloud.deploy.errors import AssemblyError
from localcloud.deploy.scope import Access
from localcloud.deploy.testing import Bench, FakeImages, thing, write_assembly


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def stack(name: str, *dependencies: str) -> dict[str, Any]:
    return {
        "type": "aws:cloudformation:stack",
        "environment": "aws://123456789012/us-east-1",
        "properties": {"templateFile": f"{name}.json", "stackName": f"the-{name}"},
        "dependencies": list(dependencies),
    }


def test_stacks_of_nested_stages_come_in_the_order_of_their_dependencies(tmp_path: Path) -> None:
    nested = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-stage"}}
    tree = {"type": "cdk:tree", "properties": {"file": "tree.json"}}
    write(tmp_path / "manifest.json", {"artifacts": {"Tree": tree, "stage": nested}})
    artifacts = {
        "C": stack("C", "A", "B"),
        "A": stack("A", "B", "A.assets"),
        "B": stack("B"),
        "A.assets": {"type": "cdk:asset-manifest", "properties": {"file": "A.assets.json"}},
    }
    write(tmp_path / "assembly-stage" / "manifest.json", {"artifacts": artifacts})
    for name in "ABC":
        write(tmp_path / "assembly-stage" / f"{name}.json", {"Resources": {}})
    found = read_assembly(tmp_path)
    assert [artifact.name for artifact in found] == ["the-B", "the-A", "the-C"]
    assert found[1].asset_manifests == (tmp_path / "assembly-stage" / "A.assets.json",)


def test_a_folder_that_is_no_assembly_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="is this a cloud assembly"):
        read_assembly(tmp_path)


def test_an_assembly_that_lacks_context_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "manifest.json", {"missing": [{"key": "vpc-provider:x"}], "artifacts": {}})
    with pytest.raises(AssemblyError, match="vpc-provider:x"):
        read_assembly(tmp_path)


def test_a_stack_for_another_account_is_refused(bench: Bench) -> None:
    folder = write_assembly(bench.folder, {"app": {"Resources": {"A": thing()}}})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"]["app"]["environment"] = "aws://999999999999/us-east-1"
    write(folder / "manifest.json", manifest)
    with pytest.raises(AssemblyError, match="999999999999"):
        bench.deployer.deploy(folder)


class Objects:
    """An S3 of which only existence and content are asked."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, bytes]] = {}
        self.puts: list[str] = []

    def head_bucket(self, Bucket: str) -> None:
        self._find(Bucket in self.kept)

    def head_object(self, Bucket: str, Key: str) -> None:
        self._find(Key in self.kept[Bucket])

    def create_bucket(self, Bucket: str) -> None:
        self.kept[Bucket] = {}

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:
        self.puts.append(Key)
        self.kept[Bucket][Key] = Body

    def _find(self, found: bool) -> None:
        if not found:
            raise ClientError({"Error": {"Code": "404"}}, "Head")


def test_assets_are_published_once_where_the_manifest_says(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "main.py").write_text("x = 1")
    (tmp_path / "model.tar.gz").write_bytes(b"model")
    destination = {"bucketName": "assets-${AWS::AccountId}-${AWS::Region}", "assumeRoleArn": "arn:role"}
    files = {
        "a": {
            "source": {"path": "code", "packaging": "zip"},
            "destinations": {"x": {**destination, "objectKey": "a.zip"}},
        },
        "b": {
            "source": {"path": "model.tar.gz", "packaging": "file"},
            "destinations": {"x": {**destination, "objectKey": "b.gz"}},
        },
    }
    image = {
        "source": {"directory": "image", "dockerFile": "Dockerfile.cpu"},
        "destinations": {"x": {"repositoryName": "repo-${AWS::Region}", "imageTag": "tag"}},
    }
    write(tmp_path / "s.assets.json", {"files": files, "dockerImages": {"c": image}})
    objects, images = Objects(), FakeImages()
    access = Access(lambda _: objects, "1234", "us-east-1", callback_url=lambda _: ("", lambda _: b""))
    for _ in range(2):
        Publisher(access, images).publish(tmp_path / "s.assets.json")
    assert objects.puts == ["a.zip", "b.gz"]
    assert objects.kept["assets-1234-us-east-1"]["b.gz"] == b"model"
    uri = "1234.dkr.ecr.us-east-1.amazonaws.com/repo-us-east-1:tag"
    assert images.registered == {uri: ((tmp_path / "image").resolve(), "Dockerfile.cpu")}


def test_a_zip_depends_on_contents_alone(tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        for entry in ("b.py", "a.py") if name == "one" else ("a.py", "b.py"):
            (folder / entry).write_text(entry)
    assert zip_folder(tmp_path / "one") == zip_folder(tmp_path / "two")
    (tmp_path / "zip").write_bytes(zip_folder(tmp_path / "one"))
    assert zipfile.ZipFile(tmp_path / "zip").namelist() == ["a.py", "b.py"]
