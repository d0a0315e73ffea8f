"""The artefacts of the first deploy: the serving image and the bootstrap model."""

from pathlib import Path

from aws_cdk import AssetHashType, AssetStaging, FileAssetPackaging, Stack
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from stacks.bundling import archive_model
from stacks.config import Endpoint

_NOT_SHIPPED = ["**/__pycache__", "**/*.pyc"]


class BootstrapModel(Construct):
    """The serving image, and the bootstrap model as SageMaker wants it.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    endpoint
        Says which.
    root
        The repository's folder.
    """

    def __init__(self, scope: Construct, construct_id: str, *, endpoint: Endpoint, root: Path) -> None:
        super().__init__(scope, construct_id)
        image = endpoint.fleet.image
        self.image = ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(root / image.folder),
            file=image.dockerfile,
            platform=ecr_assets.Platform.LINUX_AMD64,
            exclude=_NOT_SHIPPED,
        )
        self.model_url = self._model_url(archive_model(root / endpoint.bootstrap.folder, root / "build"))

    def _model_url(self, archive: Path) -> str:
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
