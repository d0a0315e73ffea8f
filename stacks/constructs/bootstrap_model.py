"""The artefacts of the first deploy: the serving image and the bootstrap model."""

from pathlib import Path

from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from stacks.config import Endpoint
from stacks.constructs.model_archive import ModelArchive

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
        self.model_url = ModelArchive(self, "Archive", bootstrap=endpoint.bootstrap, root=root).url
