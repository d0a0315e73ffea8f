"""Lines of the AWS command line are found in pages and carried out as they stand there, or refused."""

import boto3
import pytest
from botocore.stub import Stubber

from tests import aws_lines

PAGE = """
Some text.

```json
{"aws": 1}
```

aws s3 is no command here.

```
aws application-autoscaling deregister-scalable-target --service-namespace ecs \\
  --resource-id endpoint/rain
python -m tidegate status
```
"""
LINE = "aws application-autoscaling deregister-scalable-target --service-namespace ecs --resource-id endpoint/rain"


def make(service: str) -> object:
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")


def test_commands_are_found_in_blocks_that_are_in_no_other_language() -> None:
    assert aws_lines.shown(PAGE) == [LINE]


def test_a_command_is_carried_out_with_its_options() -> None:
    client = boto3.client("sagemaker", region_name="us-east-1")
    with Stubber(client) as answers:
        answers.add_response(
            "update_endpoint",
            {"EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/rain"},
            {"EndpointName": "rain", "EndpointConfigName": "rain-1", "RetainAllVariantProperties": True},
        )
        line = "aws sagemaker update-endpoint --endpoint-name rain --endpoint-config-name rain-1"
        found = aws_lines.run(lambda _: client, f"{line} --retain-all-variant-properties true")
        assert found["EndpointArn"].endswith("/rain")
        answers.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("aws sagemaker renew-endpoint --endpoint-name rain", "aws sagemaker has no renew-endpoint"),
        ("aws sagemaker delete-endpoint --endpoint rain", "aws sagemaker delete-endpoint has no --endpoint$"),
    ],
)
def test_what_aws_does_not_have_is_refused(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        aws_lines.run(make, line)
