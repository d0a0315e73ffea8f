"""The key that vouches for models."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from constructs import Construct


class SigningKey(kms.Key):
    """A key pair that signs model packages and never leaves KMS.

    KMS rotates no key pairs: a package names the key that signed it, and verifying with another would fail.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    environment
        Name of the environment.
    alias
        Its alias, without ``alias/``.
    removal_policy
        What becomes of it with the stack.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: str, alias: str, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"Signs model packages of {environment}",
            alias=alias,
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=removal_policy,
        )
