"""AppConfig: feature flags, deployments, and sessions that poll them."""

import json
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localcloud.credentials import ADMIN_ACCESS_KEY, ADMIN_SECRET
from localcloud.errors import AwsError
from localcloud.services.configurations.deployments import Deployment, Strategy
from localcloud.services.configurations.flags import checked, rendered
from localcloud.services.configurations.sessions import Session, Sessions

FLAGS = {
    "version": "1",
    "flags": {
        "cache": {
            "name": "Cache",
            "attributes": {"seconds": {"constraints": {"type": "number", "minimum": 0, "required": True}}},
        },
        "sticky": {"name": "Sticky"},
    },
    "values": {"cache": {"enabled": True, "seconds": 60}},
}


class Way:
    """An application with an environment and a profile."""

    def __init__(self, cloud, workshop, kind="AWS.AppConfig.FeatureFlags"):
        self.control, self.data = cloud.client("appconfig"), cloud.client("appconfigdata")
        name = workshop.name("app")
        self.app = self.control.create_application(Name=name)["Id"]
        self.environment = self.control.create_environment(ApplicationId=self.app, Name="local")["Id"]
        self.profile = self.control.create_configuration_profile(
            ApplicationId=self.app, Name="flags", LocationUri="hosted", Type=kind
        )["Id"]
        self.name = name

    def version(self, content, content_type="application/json", **more):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        which = {"ApplicationId": self.app, "ConfigurationProfileId": self.profile}
        return self.control.create_hosted_configuration_version(
            Content=body, ContentType=content_type, **which, **more
        )["VersionNumber"]

    def deploy(self, number, strategy="AppConfig.AllAtOnce"):
        return self.control.start_deployment(
            ApplicationId=self.app,
            EnvironmentId=self.environment,
            ConfigurationProfileId=self.profile,
            ConfigurationVersion=str(number),
            DeploymentStrategyId=strategy,
        )["DeploymentNumber"]

    def deployment(self, number):
        return self.control.get_deployment(
            ApplicationId=self.app, EnvironmentId=self.environment, DeploymentNumber=number
        )

    def start(self, client=None, **more):
        return (client or self.data).start_configuration_session(
            ApplicationIdentifier=self.app,
            EnvironmentIdentifier=self.environment,
            ConfigurationProfileIdentifier=self.profile,
            **more,
        )["InitialConfigurationToken"]

    def poll(self, token, client=None):
        answer = (client or self.data).get_latest_configuration(ConfigurationToken=token)
        return answer["Configuration"].read(), answer


@pytest.fixture
def way(cloud, workshop):
    return Way(cloud, workshop)


def test_flags_are_polled_as_applications_get_them_once_for_each_change(way, wait_until):
    first = way.deploy(way.version(FLAGS))
    body, answer = way.poll(way.start())
    assert json.loads(body) == {"cache": {"enabled": True, "seconds": 60}, "sticky": {"enabled": False}}
    assert (answer["ContentType"], answer["NextPollIntervalInSeconds"]) == ("application/json", 60)

    body, answer = way.poll(answer["NextPollConfigurationToken"])
    assert body == b""
    wait_until(lambda: way.deployment(first)["State"] == "COMPLETE")
    way.deploy(way.version({**FLAGS, "values": {"sticky": {"enabled": True}}}))
    body, _ = way.poll(answer["NextPollConfigurationToken"])
    assert json.loads(body) == {"cache": {"enabled": False}, "sticky": {"enabled": True}}


def test_a_token_serves_once(way):
    way.deploy(way.version(FLAGS))
    token = way.start()
    way.poll(token)
    with pytest.raises(ClientError) as refused:
        way.poll(token)
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    assert refused.value.response["Details"]["InvalidParameters"]["ConfigurationToken"]["Problem"] == "Corrupted"


def test_a_poll_before_the_sessions_interval_is_refused(cloud, way):
    way.deploy(way.version(FLAGS))
    unchecked = boto3.client("appconfigdata", endpoint_url=cloud.endpoint_url, region_name=cloud.region,
                             aws_access_key_id=ADMIN_ACCESS_KEY, aws_secret_access_key=ADMIN_SECRET,
                             config=Config(parameter_validation=False))  # fmt: skip
    with pytest.raises(ClientError, match="15"):
        way.start(unchecked, RequiredMinimumPollIntervalInSeconds=14)
    _, answer = way.poll(way.start(RequiredMinimumPollIntervalInSeconds=15))
    assert answer["NextPollIntervalInSeconds"] == 15
    with pytest.raises(ClientError) as refused:
        way.poll(answer["NextPollConfigurationToken"])
    problem = refused.value.response["Details"]["InvalidParameters"]["ConfigurationToken"]["Problem"]
    assert problem == "PollIntervalNotSatisfied"


def test_an_early_poll_leaves_the_token_for_later_and_tokens_expire():
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    token = sessions.follow(sessions.start(Session("a", "e", "p", 15)), 1)
    now[0] = 14.9
    with pytest.raises(AwsError, match="poll again"):
        sessions.look(token)
    now[0] = 15.0
    assert sessions.look(token).seen == 1
    now[0] = 24 * 3600 + 1.0
    with pytest.raises(AwsError, match="24 hours"):
        sessions.look(token)


def test_a_linear_deployment_grows_and_can_be_stopped(way):
    strategy = way.control.create_deployment_strategy(
        Name="slow", DeploymentDurationInMinutes=10, GrowthFactor=25, ReplicateTo="NONE"
    )["Id"]
    way.deploy(way.version(FLAGS))
    time.sleep(2.1)  # its baking ends, which this cloud bounds
    number = way.deploy(way.version({**FLAGS, "values": {}}), strategy)
    assert (way.deployment(number)["State"], way.deployment(number)["PercentageComplete"]) == ("DEPLOYING", 25.0)
    with pytest.raises(ClientError, match="ConflictException"):
        way.deploy(1)
    which = {"ApplicationId": way.app, "EnvironmentId": way.environment, "DeploymentNumber": number}
    assert way.control.stop_deployment(**which)["State"] == "ROLLED_BACK"
    assert json.loads(way.poll(way.start())[0])["cache"]["enabled"] is True
    listed = way.control.list_deployments(ApplicationId=way.app, EnvironmentId=way.environment)["Items"]
    assert [each["State"] for each in listed] == ["ROLLED_BACK", "COMPLETE"]


def test_a_deployment_reaches_its_share_of_the_clients():
    now = [100.0]
    deployment = Deployment(1, "p", 1, Strategy("s", "s", 10, 25.0, 1), 40.0, 5.0, lambda: now[0])
    seen = []
    for at in (100.0, 111.0, 131.0, 140.0, 146.0):
        now[0] = at
        seen.append((deployment.percent, deployment.reaches(0.4), deployment.state))
    assert seen == [
        (25.0, False, "DEPLOYING"),
        (50.0, True, "DEPLOYING"),
        (100.0, True, "DEPLOYING"),
        (100.0, True, "BAKING"),
        (100.0, True, "COMPLETE"),
    ]


def test_other_configurations_come_as_they_are_with_their_label(cloud, workshop):
    way = Way(cloud, workshop, "AWS.Freeform")
    way.deploy(way.version(b"a: 1\n", "application/x-yaml", VersionLabel="v1"))
    body, answer = way.poll(way.start())
    assert (body, answer["ContentType"], answer["VersionLabel"]) == (b"a: 1\n", "application/x-yaml", "v1")


def test_what_was_never_deployed_is_not_found(way):
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        way.poll(way.start())


def test_roles_need_the_configuration_by_its_ids(cloud, workshop, way):
    way.deploy(way.version(FLAGS))
    place = f"application/{way.app}/environment/{way.environment}/configuration/{way.profile}"
    own = f"arn:aws:appconfig:us-east-1:123456789012:{place}"
    allowed = {"Effect": "Allow", "Action": "appconfig:StartConfigurationSession", "Resource": own}
    client = cloud.role_client("appconfigdata", workshop.role(allowed))
    token = client.start_configuration_session(
        ApplicationIdentifier=way.name, EnvironmentIdentifier="local", ConfigurationProfileIdentifier="flags"
    )["InitialConfigurationToken"]
    with pytest.raises(ClientError, match=f"appconfig:GetLatestConfiguration on resource: {own}"):
        way.poll(token, client)
    actions = ["appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"]
    both = workshop.role({"Effect": "Allow", "Action": actions, "Resource": own})
    client = cloud.role_client("appconfigdata", both)
    assert way.poll(way.start(client), client)[0]
    with pytest.raises(ClientError, match="appconfig:StartDeployment"):
        cloud.role_client("appconfig", both).start_deployment(
            ApplicationId=way.app,
            EnvironmentId=way.environment,
            ConfigurationProfileId=way.profile,
            ConfigurationVersion="1",
            DeploymentStrategyId="AppConfig.AllAtOnce",
        )


def test_what_is_not_simulated_is_refused_by_name(way):
    with pytest.raises(ClientError, match=r"NotSimulated.*Monitors"):
        way.control.create_environment(ApplicationId=way.app, Name="x", Monitors=[{"AlarmArn": "arn:aws:x"}])
    with pytest.raises(ClientError, match=r"NotSimulated.*GrowthType"):
        way.control.create_deployment_strategy(
            Name="e", DeploymentDurationInMinutes=1, GrowthFactor=2, GrowthType="EXPONENTIAL", ReplicateTo="NONE"
        )
    with pytest.raises(ClientError, match="NotSimulated"):
        way.control.list_extensions()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "2"}, "version"),
        ({"values": {"other": {"enabled": True}}}, "values.other"),
        ({"values": {"sticky": {}}}, "enabled"),
        ({"values": {"cache": {"enabled": True}}}, "seconds is required"),
        ({"values": {"cache": {"enabled": True, "seconds": "60"}}}, "type number"),
        ({"values": {"cache": {"enabled": True, "seconds": -1}}}, "minimum"),
        ({"values": {"sticky": {"enabled": True, "colour": 1}}}, "colour"),
        ({"flags": {"Cache": {"name": "x"}}, "values": {}}, "lower-case"),
        ({"extra": 1}, "extra"),
    ],
)
def test_flags_that_are_not_valid_are_refused(way, change, message):
    with pytest.raises(AwsError, match=message):
        checked(json.dumps({**FLAGS, **change}).encode())


def test_invalid_flags_make_no_version(way):
    with pytest.raises(ClientError, match="BadRequestException"):
        way.version({"version": "1", "flags": []})
    assert json.loads(rendered(json.dumps({"version": "1"}).encode())) == {}
