"""What functions and jobs may do in the artefact bucket, folder by folder; bucket and key are another stack's."""

from collections.abc import Iterator, Sequence

from aws_cdk import aws_iam as iam

from stacks.constructs.permissions import allow, signing, use_key_of
from stacks.names import Names

MODELS = ""
"""The folder of all models is the bucket itself; in it each endpoint has one."""


class ArtefactPermissions:
    """Statements about folders of endpoints in the artefact bucket.

    Parameters
    ----------
    names
        Names in the stack that holds the roles.
    endpoints
        SageMaker names of the endpoints.
    """

    def __init__(self, names: Names, endpoints: Sequence[str]) -> None:
        self._names = names
        self._endpoints = list(endpoints)

    def find(self, *prefixes: str) -> iam.PolicyStatement:
        """List what lies below each prefix: `MODELS` for the endpoints' models.

        S3 tells an object that is missing from one that is forbidden only to who may list the bucket, and asks that of
        a read without any prefix: hence the condition holds where there is none.
        """
        folders = list(self._folders(prefixes))
        return allow("FindObjects", ["s3:ListBucket"], [self._bucket()], StringLikeIfExists={"s3:prefix": folders})

    def read(self, *prefixes: str) -> iam.PolicyStatement:
        """Read what lies below each prefix."""
        return allow("ReadObjects", ["s3:GetObject"], self._objects(prefixes))

    def files(self, prefix: str, name: str) -> list[str]:
        """Return the ARNs of files of one name, however deep they lie below a prefix."""
        return [f"{folder}/{name}" for folder in self._objects([prefix])]

    def write(self, *prefixes: str) -> iam.PolicyStatement:
        """Write below each prefix."""
        return allow("WriteObjects", ["s3:PutObject"], self._objects(prefixes))

    def use_key(self) -> iam.PolicyStatement:
        """Read and write what is encrypted in the bucket."""
        return use_key_of(self._names, self._names.registry_key, "s3", "UseArtefactKey", "Decrypt", "GenerateDataKey")

    def use_key_to_read(self) -> iam.PolicyStatement:
        """Read what is encrypted in the bucket."""
        return use_key_of(self._names, self._names.registry_key, "s3", "UseArtefactKey", "Decrypt")

    def use_key_in_jobs(self) -> iam.PolicyStatement:
        """Use the key as jobs do whose outputs are encrypted with it.

        Where they name it by its alias, SageMaker's API reference asks their role for kms:Encrypt.
        """
        actions = ("Decrypt", "Encrypt", "GenerateDataKey")
        return use_key_of(self._names, self._names.registry_key, "s3", "UseArtefactKey", *actions)

    def _objects(self, prefixes: Sequence[str]) -> list[str]:
        return [self._bucket(f"/{folder}") for folder in self._folders(prefixes)]

    def _folders(self, prefixes: Sequence[str]) -> Iterator[str]:
        for prefix in prefixes:
            for name in self._endpoints:
                yield f"{prefix}/{name}/*" if prefix else f"{name}/*"

    def _bucket(self, path: str = "") -> str:
        resource = f"{self._names.artefact_bucket}{path}"
        return self._names.stack.format_arn(service="s3", account="", region="", resource=resource)


def verify_models(names: Names, endpoints: Sequence[str]) -> list[iam.PolicyStatement]:
    """Look whether endpoints' models are those that were signed."""
    return [signing(names, "VerifyModels", "Verify"), *compare_models(names, endpoints)]


def compare_models(names: Names, endpoints: Sequence[str]) -> list[iam.PolicyStatement]:
    """Look whether endpoints' models have the digests that signatures, which were verified before, were made over."""
    artefacts = ArtefactPermissions(names, endpoints)
    return [artefacts.find(MODELS), artefacts.read(MODELS), artefacts.use_key_to_read()]
