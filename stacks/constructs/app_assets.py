"""Where the app's assets lie, once `cdk bootstrap` has made the places for them."""

from collections.abc import Sequence

from aws_cdk import DefaultStackSynthesizer, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets

from stacks.constructs.permissions import allow


def asset_models(stack: Stack) -> str:
    """Return the ARN of the bootstrap models among the assets; any, as an older one may be live."""
    bucket = _bootstrapped(stack, DefaultStackSynthesizer.DEFAULT_FILE_ASSETS_BUCKET_NAME)
    return stack.format_arn(service="s3", account="", region="", resource=bucket, resource_name="*.tar.gz")


def asset_repository(stack: Stack) -> str:
    """Return the ARN of the repository of the app's images."""
    name = _bootstrapped(stack, DefaultStackSynthesizer.DEFAULT_IMAGE_ASSETS_REPOSITORY_NAME)
    return stack.format_arn(service="ecr", resource="repository", resource_name=name)


def pull_images(repositories: Sequence[str]) -> list[iam.PolicyStatement]:
    """Pull images; AWS gives out registry tokens for the account as a whole."""
    actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    return [allow("PullImages", actions, repositories), allow("LogIn", ["ecr:GetAuthorizationToken"], ["*"])]


def read_baselines(stack: Stack, baselines: Sequence[s3_assets.Asset | None]) -> list[iam.PolicyStatement]:
    """Read what bootstrap models were trained on; nothing where there are none."""
    return read_assets(stack, "ReadBaselines", baselines)


def read_assets(stack: Stack, sid: str, assets: Sequence[s3_assets.Asset | None]) -> list[iam.PolicyStatement]:
    """Read assets, each by its own key; nothing where there are none."""
    paths = [f"{one.s3_bucket_name}/{one.s3_object_key}" for one in assets if one is not None]
    arns = [stack.format_arn(service="s3", account="", region="", resource=path) for path in paths]
    return [allow(sid, ["s3:GetObject"], arns)] if arns else []


def find_assets(stack: Stack) -> iam.PolicyStatement:
    """List the assets, which carry no names but their hashes; a job lists what it is to download."""
    bucket = _bootstrapped(stack, DefaultStackSynthesizer.DEFAULT_FILE_ASSETS_BUCKET_NAME)
    return allow(
        "FindAssets", ["s3:ListBucket"], [stack.format_arn(service="s3", account="", region="", resource=bucket)]
    )


def _bootstrapped(stack: Stack, template: str) -> str:
    qualifier = stack.synthesizer.bootstrap_qualifier or DefaultStackSynthesizer.DEFAULT_QUALIFIER
    named = template.replace("${Qualifier}", qualifier)
    return named.replace("${AWS::AccountId}", stack.account).replace("${AWS::Region}", stack.region)
