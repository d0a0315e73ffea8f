"""The image of a SageMaker job."""

from pathlib import Path

from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from stacks.bundling import gather_job


class JobImage(ecr_assets.DockerImageAsset):
    """An image of model_containers/ that Processing and Training jobs run.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    container
        Folder below model_containers/.
    root
        The repository's folder.
    """

    def __init__(self, scope: Construct, construct_id: str, *, container: str, root: Path) -> None:
        super().__init__(
            scope,
            construct_id,
            directory=str(gather_job(container, root)),
            file=f"model_containers/{container}/Dockerfile",
            platform=ecr_assets.Platform.LINUX_AMD64,
        )
