"""The bootstrap model among the app's assets."""

from pathlib import Path

from aws_cdk import AssetHashType, AssetStaging, FileAssetPackaging, Stack
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.bundling import BASELINE, archive_model, unpack_signature
from stacks.config import Bootstrap


class ModelArchive(Construct):
    """The bootstrap model as SageMaker wants it; any number of stacks may name it, and it is uploaded once.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    bootstrap
        Says which.
    root
        The repository's folder.
    """

    def __init__(self, scope: Construct, construct_id: str, *, bootstrap: Bootstrap, root: Path) -> None:
        super().__init__(scope, construct_id)
        self.url = self._url(archive_model(root / bootstrap.folder, root / "build"))

    def _url(self, archive: Path) -> str:
        """Return the URL under which the archive will lie; SageMaker wants it to end in .tar.gz.

        An `Asset` keeps only the last suffix of a file's name, so the first is made part of the hash. That hash is of
        the model's files: gzip's output differs between versions of zlib.
        """
        staging = AssetStaging(
            self,
            "Model",
            source_path=str(archive),
            asset_hash=archive.parent.name,
            asset_hash_type=AssetHashType.CUSTOM,
        )
        stack = Stack.of(self)
        location = stack.synthesizer.add_file_asset(
            source_hash=f"{staging.asset_hash}.tar",
            file_name=staging.relative_staged_path(stack),
            packaging=FileAssetPackaging.FILE,
        )
        return location.s3_object_url


def bootstrap_baseline(scope: Construct, construct_id: str, bootstrap: Bootstrap, root: Path) -> s3_assets.Asset | None:
    """Return what the bootstrap model was trained on, as an asset, or None if its folder does not say."""
    path = root / bootstrap.folder / BASELINE
    return s3_assets.Asset(scope, construct_id, path=str(path)) if path.is_file() else None


def bootstrap_signature(
    scope: Construct, construct_id: str, bootstrap: Bootstrap, root: Path
) -> s3_assets.Asset | None:
    """Return what the bootstrap model takes, as an asset, or None if the model does not say."""
    path = unpack_signature(archive_model(root / bootstrap.folder, root / "build"), root / "build")
    return s3_assets.Asset(scope, construct_id, path=str(path)) if path is not None else None
