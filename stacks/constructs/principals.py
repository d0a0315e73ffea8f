"""Services that take roles."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct


def sagemaker(scope: Construct) -> iam.IPrincipal:
    """Return SageMaker, at work for this account."""
    return _at_work_for_us(scope, "sagemaker.amazonaws.com")


def step_functions(scope: Construct) -> iam.IPrincipal:
    """Return Step Functions, at work for this account."""
    return _at_work_for_us(scope, "states.amazonaws.com")


def _at_work_for_us(scope: Construct, service: str) -> iam.IPrincipal:
    account = {"aws:SourceAccount": Stack.of(scope).account}
    return iam.ServicePrincipal(service, conditions={"StringEquals": account})
