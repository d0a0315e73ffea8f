"""The model registry and the events that tell of it."""

import json

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def group(cloud, workshop):
    name = workshop.name("group")
    cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)
    return name


def _register(cloud, group, **extra):
    container = {
        "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/serving:1",
        "ModelDataUrl": "s3://b/model.tar.gz",
    }
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    answer = cloud.client("sagemaker").create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=specification, **extra
    )
    return answer["ModelPackageArn"]


def _listening(workshop, group):
    url, arn = workshop.queue()
    pattern = {"source": ["aws.sagemaker"], "detail": {"ModelPackageGroupName": [group]}}
    workshop.allow(url, arn, "events.amazonaws.com", workshop.rule(pattern, arn))
    return url


def test_approval_is_told_in_awss_own_words(cloud, workshop, group):
    url = _listening(workshop, group)
    arn = _register(cloud, group, CustomerMetadataProperties={"version": "1.1.0"})
    created = json.loads(workshop.messages(url)[0]["Body"])
    assert created["detail-type"] == "SageMaker Model Package State Change"
    assert created["detail"]["ModelApprovalStatus"] == "PendingManualApproval"
    cloud.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    event = json.loads(workshop.messages(url)[0]["Body"])
    assert event["resources"] == [arn]
    detail = event["detail"]
    assert (detail["ModelPackageArn"], detail["ModelPackageVersion"]) == (arn, 1)
    assert (detail["ModelApprovalStatus"], detail["ModelPackageStatus"]) == ("Approved", "Completed")
    assert detail["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == "s3://b/model.tar.gz"
    assert detail["LastModifiedTime"].endswith("Z")


def test_editing_metadata_moves_the_modification_time_and_merges(cloud, group):
    sagemaker = cloud.client("sagemaker")
    arn = _register(cloud, group, CustomerMetadataProperties={"a": "1", "b": "2"})
    assert "LastModifiedTime" not in sagemaker.describe_model_package(ModelPackageName=arn)
    sagemaker.update_model_package(
        ModelPackageArn=arn, CustomerMetadataProperties={"c": "3"}, CustomerMetadataPropertiesToRemove=["a"]
    )
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    assert described["LastModifiedTime"] >= described["CreationTime"]
    assert described["ModelApprovalStatus"] == "PendingManualApproval"


def test_listing_filters_by_approval_and_pages(cloud, group):
    sagemaker = cloud.client("sagemaker")
    arns = [_register(cloud, group) for _ in range(5)]
    for arn in arns[1:4]:
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortOrder="Descending",
        PaginationConfig={"PageSize": 2},
    )
    found = [summary["ModelPackageArn"] for page in pages for summary in page["ModelPackageSummaryList"]]
    assert found == arns[3:0:-1]


def test_version_numbers_are_not_given_twice(cloud, group):
    sagemaker = cloud.client("sagemaker")
    first = _register(cloud, group)
    sagemaker.delete_model_package(ModelPackageName=first)
    assert _register(cloud, group).endswith("/2")
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package(ModelPackageName=first)


def test_group_with_versions_cannot_be_deleted(cloud, group):
    sagemaker = cloud.client("sagemaker")
    arn = _register(cloud, group)
    with pytest.raises(ClientError, match="ConflictException"):
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)


def test_tags_of_groups_and_of_endpoint_configs_go_to_their_keepers(cloud, group, workshop):
    sagemaker = cloud.client("sagemaker")
    arn = sagemaker.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    model = sagemaker.create_model(
        ModelName=workshop.name("model"),
        ExecutionRoleArn=workshop.role(service="sagemaker.amazonaws.com"),
        PrimaryContainer={"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/serving:1"},
        Tags=[{"Key": "b", "Value": "2"}],
    )["ModelArn"]
    assert sagemaker.list_tags(ResourceArn=model)["Tags"] == [{"Key": "b", "Value": "2"}]
