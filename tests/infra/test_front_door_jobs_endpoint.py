"""Jobs may have an endpoint of their own: it follows by a function, is heard by a topic, and goes with its stack."""

import json
from dataclasses import replace

import pytest

from lambdas import contract
from lambdas.inference.settings import Asynchronous as Told
from stacks.config.door_sizes import resources_of
from stacks.config.rules import problems_of
from tests.infra.asynchronous import OWN, with_jobs_endpoint
from tests.infra.front_doors import functions, ids, may, only, settings, variables

NAME, JOBS = "rain-local", "jobs-rain-local"
FOLLOW, WORK = "EndpointrainJobsOwnFollowRole", "EndpointrainJobsWorkRole"
OWN_PLACE = "EndpointrainJobsOwn"


@pytest.fixture(scope="module")
def changed(synthesise_changed):
    """The environment whose endpoint rain has such jobs."""
    return synthesise_changed("local", with_jobs_endpoint)


@pytest.fixture(scope="module")
def template(changed):
    """Its front doors."""
    return changed.inference


def resource_of(statement):
    found = statement["Resource"]
    return found if isinstance(found, str) else sorted(found)


def test_functions_are_told_what_the_file_says(template):
    for handler in ("work", "follow"):
        told = settings(template, "rain", handler).jobs
        assert told is not None
        assert told.asynchronous == Told(3, 2, 7, "ml.c5.xlarge")
    follow = variables(template, "rain", "follow")
    assert follow[contract.ENV_JOBS_TOPIC_ARN]
    assert follow[contract.ENV_ARTEFACT_BUCKET].startswith("tidegate-local-artefacts-")


def test_without_it_the_endpoint_itself_is_asked_and_nothing_follows(opened):
    told = settings(opened.inference, "rain", "work").jobs
    assert told is not None
    assert told.asynchronous is None
    assert "follow" not in functions(opened.inference, "rain")
    assert not opened.inference.of_type("AWS::SNS::Topic")
    assert "AskModel" in may(opened.inference, WORK)
    assert not [each for each in opened.registry.statements("EndpointrainRole") if each["Sid"] == "ReadJobs"]


def test_the_worker_hands_over_to_that_endpoint_and_asks_no_other(template):
    work = may(template, WORK)
    assert work["HandJobsOver"]["Action"] == "sagemaker:InvokeEndpointAsync"
    assert resource_of(work["HandJobsOver"]).endswith(f":endpoint/{JOBS}")
    assert "AskModel" not in work
    assert work["ReadStanding"]["Action"] == "dynamodb:GetItem"
    assert work["ReadStanding"]["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [f"FOLLOWER#{NAME}"]}
    }


def test_who_follows_makes_and_removes_nothing_of_the_engines(template):
    changing = {
        action: resource_of(each)
        for each in template.statements(FOLLOW)
        for action in (each["Action"] if isinstance(each["Action"], list) else [each["Action"]])
        if action.startswith("sagemaker:") and not action.startswith("sagemaker:Describe")
    }
    assert set(changing) >= {"sagemaker:CreateEndpoint", "sagemaker:DeleteModel", "sagemaker:DeleteEndpointConfig"}
    for action, resources in changing.items():
        for resource in [resources] if isinstance(resources, str) else resources:
            assert resource.split("/")[1] in (JOBS, f"{JOBS}-*"), (action, resource)


def test_who_follows_reads_its_endpoints_models_to_know_whether_they_are_what_was_signed(template):
    allowed = may(template, FOLLOW)
    on_objects = {sid: each for sid, each in allowed.items() if "s3:" in str(each["Action"])}
    assert {sid: each["Action"] for sid, each in on_objects.items()} == {
        "FindObjects": "s3:ListBucket",
        "ReadObjects": "s3:GetObject",
    }
    assert resource_of(allowed["ReadObjects"]).partition("/")[2] == f"{NAME}/*"
    assert allowed["FindObjects"]["Condition"] == {"StringLikeIfExists": {"s3:prefix": [f"{NAME}/*"]}}
    unsealed = allowed["UseArtefactKey"]
    assert unsealed["Action"] == "kms:Decrypt"
    assert unsealed["Condition"]["StringEquals"]["kms:ViaService"].startswith("s3.")


def test_who_follows_sees_what_instances_its_own_configs_ask_for(template):
    seen = may(template, FOLLOW)["AnswerByConfigs"]
    assert "sagemaker:DescribeEndpointConfig" in seen["Action"]
    assert resource_of(seen).endswith(f":endpoint-config/{JOBS}-*")


def test_who_follows_scales_nothing_but_instance_counts_of_variants(template):
    assert may(template, FOLLOW)["KeepScaling"]["Condition"] == {
        "StringEquals": {
            "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
            "application-autoscaling:service-namespace": "sagemaker",
        }
    }


def test_the_engine_may_not_touch_it(changed):
    for role in ("TickRole", "ReactRole", "CleanupRole"):
        for statement in changed.rollout.statements(role):
            for resource in (
                statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            ):
                assert "/jobs-" not in str(resource), (role, statement["Sid"])


def test_messages_come_again_until_the_last_attempt_has_expired(template):
    redrive = only(template, "AWS::SQS::Queue", "EndpointrainJobsQueue")["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == 1000


def test_sagemaker_tells_by_an_encrypted_topic_that_nobody_else_publishes_to(template):
    topic = only(template, "AWS::SNS::Topic", OWN_PLACE)
    assert topic["TopicName"] == contract.jobs_topic("local", "rain")
    assert topic["KmsMasterKeyId"].startswith("<Key")
    policy = only(template, "AWS::SNS::TopicPolicy", OWN_PLACE)["PolicyDocument"]["Statement"]
    denied = {each["Sid"]: each for each in policy}
    assert denied["OnlySageMakerPublishes"]["Effect"] == denied["AllowPublishThroughSSLOnly"]["Effect"] == "Deny"
    (role,) = denied["OnlySageMakerPublishes"]["Condition"]["ArnNotEquals"].values()
    assert ":role/tidegate-rain-local-" in role
    assert denied["AllowPublishThroughSSLOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    key = only(template, "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    assert {"DeliverEvents", "DeliverSns"} <= {each.get("Sid") for each in key}


def test_what_it_tells_comes_by_the_queue_of_the_jobs_as_it_is(template):
    told = only(template, "AWS::SNS::Subscription", OWN_PLACE)
    assert (told["Protocol"], told["RawMessageDelivery"]) == ("sqs", True)
    assert told["Endpoint"].startswith("<EndpointrainJobsQueue")
    policies = [
        template.text(each) for each in ids(template, "AWS::SQS::QueuePolicy", "EndpointrainJobsQueue").values()
    ]
    (policy,) = policies
    (sent,) = [each for each in policy["PolicyDocument"]["Statement"] if each.get("Sid") == "TellOfAnswers"]
    assert sent["Condition"] == {"ArnEquals": {"aws:SourceArn": told["TopicArn"]}}


def test_the_containers_read_rows_and_leave_answers_below_the_endpoints_own_prefix(changed):
    role = {each["Sid"]: each for each in changed.registry.statements("EndpointrainRole")}
    assert role["FindJobs"]["Condition"] == {"StringLikeIfExists": {"s3:prefix": [f"inference/{NAME}/*"]}}
    assert resource_of(role["ReadJobs"]).endswith(f"/inference/{NAME}/jobs/*")
    assert [each.split("/", 1)[1] for each in resource_of(role["WriteJobsAnswers"])] == [
        f"inference/{NAME}/answers/*",
        f"inference/{NAME}/failures/*",
    ]
    assert resource_of(role["TellOfJobs"]).endswith(":tidegate-local-rain-jobs")
    alias = role["SealWhatIsTold"]["Condition"]["ForAnyValue:StringEquals"]
    assert alias == {"kms:ResourceAliases": "alias/tidegate-local-inference"}
    logs = ids(changed.registry, "AWS::Logs::LogGroup", "EndpointrainJobsLogs")
    assert [each["LogGroupName"] for each in logs.values()] == [f"/aws/sagemaker/Endpoints/{JOBS}"]


def test_it_is_looked_after_each_minute_and_when_an_endpoint_changes_until_it_goes(template):
    rules = ids(template, "AWS::Events::Rule", OWN_PLACE)
    assert {each.get("ScheduleExpression") for each in rules.values()} == {None, "rate(1 minute)"}
    (pattern,) = [each["EventPattern"] for each in rules.values() if "EventPattern" in each]
    assert pattern["detail"] == {"EndpointName": [NAME, JOBS]}
    ((life, resource),) = template.of_type(contract.JOBS_ENDPOINT_RESOURCE_TYPE).items()
    assert resource["DeletionPolicy"] == "Delete"
    for name in rules:
        assert life in template.of_type("AWS::Events::Rule")[name]["DependsOn"], "it would be made anew while it goes"
    policy = next(name for name in ids(template, "AWS::IAM::Policy", OWN_PLACE))
    assert policy in resource["DependsOn"], "who takes it away must still be allowed to"
    assert functions(template, "rain")["follow"][1]["Timeout"] == 900


def test_no_template_has_the_endpoint_itself(changed):
    """A deploy must not set it back."""
    for _, resource in changed.every_resource:
        if resource["Type"] in ("AWS::SageMaker::Endpoint", "AWS::ApplicationAutoScaling::ScalableTarget"):
            assert JOBS not in json.dumps(resource)


def test_its_resources_are_counted(changed):
    assert resources_of(changed.environment) == len(changed.inference.body["Resources"])


def problems(environment):
    """Return what is wrong besides that the front doors are small, as tests want them."""
    return [each for each in map(str, problems_of(environment)) if "firewall_requests" not in each]


def test_a_gpu_for_an_image_without_is_refused(local):
    asked = with_jobs_endpoint(local.environment)
    rain, snow = asked.endpoints
    assert not problems(asked)
    jobs = replace(rain.front_door.jobs, asynchronous=replace(OWN, instance_type="ml.g5.xlarge"))
    wrong = replace(rain, front_door=replace(rain.front_door, jobs=jobs))
    (problem,) = problems(replace(asked, endpoints=(wrong, snow)))
    assert problem.startswith("endpoints[0].front_door.jobs.asynchronous.instance_type: 'ml.g5.xlarge'")


def test_an_endpoint_may_not_bear_the_name_of_another_ones_jobs(local):
    asked = with_jobs_endpoint(local.environment)
    rain, snow = asked.endpoints
    (problem,) = problems(replace(asked, endpoints=(rain, replace(snow, name="jobs-rain"))))
    assert "the endpoint that answers the jobs of rain is called jobs-rain-local" in problem
