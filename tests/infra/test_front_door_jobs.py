"""Jobs wait in a queue that forgives, and what is switched off is switched off by names that the functions read."""

import json
from typing import get_type_hints

import pytest

from lambdas import contract
from lambdas.inference.flags import ALL_ON, Switches
from stacks.config.job_queue import JobQueue
from tests.infra.front_doors import aliases, endpoint_of, functions, ids, may, only, sample, settings

WITH_JOBS = ["local", "prod", "opened"]


@pytest.fixture(params=WITH_JOBS)
def case(request, doors):
    """A template and a front door that takes jobs."""
    return doors[request.param].inference, endpoint_of(doors[request.param], "rain")[1]


def queue(template):
    return only(template, "AWS::SQS::Queue", "EndpointrainJobsQueue")


def test_a_message_is_hidden_for_six_times_as_long_as_its_worker_may_take(case):
    template, door = case
    work = functions(template, "rain")["work"][1]
    assert work["Timeout"] > door.timeout_seconds + 15, "what else a job needs"
    assert queue(template)["VisibilityTimeout"] >= 6 * work["Timeout"]


def test_a_job_may_come_again_while_its_endpoint_is_busy(case):
    """Deliveries are no attempts, which the job itself counts: those to a busy endpoint may be in vain."""
    template, door = case
    redrive = queue(template)["RedrivePolicy"]
    most_attempts = max(bound.most for bound in get_type_hints(JobQueue, include_extras=True)["attempts"].__metadata__)
    assert door.jobs.attempts <= most_attempts
    assert redrive["maxReceiveCount"] == 100 >= 2 * most_attempts
    assert redrive["deadLetterTargetArn"].startswith("<EndpointrainJobsDeadQueue")


def test_a_message_lives_as_long_as_its_job_and_a_dead_one_longer_than_any(case):
    template, door = case
    day = 86_400
    kept = queue(template)["MessageRetentionPeriod"]
    assert kept == door.jobs.keep_days * day
    assert only(template, "AWS::SQS::Queue", "EndpointrainJobsDead")["MessageRetentionPeriod"] == 14 * day >= kept


def test_each_message_succeeds_on_its_own_and_as_many_at_once_as_the_file_says(case):
    template, door = case
    mapping = only(template, "AWS::Lambda::EventSourceMapping", "EndpointrainJobs")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": door.jobs.at_once}
    assert mapping["EventSourceArn"].startswith("<EndpointrainJobsQueue")
    assert mapping["FunctionName"] == f"<{functions(template, 'rain')['work'][0]}>"
    assert mapping["BatchSize"] == 1, "a batch would wait for its slowest"


def test_those_who_take_and_those_who_work_name_the_same_queues(case):
    template, _ = case
    for handler in ("jobs", "work"):
        told = template.text(functions(template, "rain")[handler][1]["Environment"]["Variables"])
        assert told[contract.ENV_JOBS_QUEUE_URL].startswith("<EndpointrainJobsQueue")
        assert told[contract.ENV_JOBS_DEAD_QUEUE_URL].startswith("<EndpointrainJobsDeadQueue")
    take, work = may(template, "EndpointrainJobsTakeControlRole"), may(template, "EndpointrainJobsWorkRole")
    assert take["QueueJobs"]["Resource"] == work["ConsumeQueue"]["Resource"]
    assert work["PutOffJobs"]["Resource"] == work["ConsumeQueue"]["Resource"], "while jobs are switched off"
    assert work["BuryJobs"]["Resource"].startswith("<EndpointrainJobsDeadQueue")


def test_a_job_that_failed_is_an_alarm(case):
    template, _ = case
    alarms = [template.text(each) for each in ids(template, "AWS::CloudWatch::Alarm", "EndpointrainJobsDead").values()]
    (alarm,) = alarms
    assert alarm["Dimensions"][0]["Value"].startswith("<EndpointrainJobsDeadQueue")
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")


def test_where_no_jobs_are_taken_there_is_no_queue_of_them(opened):
    assert not ids(opened.inference, "AWS::SQS::Queue", "Endpointsnow")
    assert "jobs" not in aliases(opened.inference, "snow")


# Switches.


def flags(template):
    return json.loads(only(template, "AWS::AppConfig::HostedConfigurationVersion")["Content"])


@pytest.mark.parametrize("name", ["local", "prod"])
def test_every_switch_is_one_that_functions_read(doors, name):
    document = flags(doors[name].inference)
    assert document["version"] == "1"
    assert set(document["flags"]) == set(document["values"])
    assert Switches.of(document["values"]) == ALL_ON
    for flag in document["values"]:
        off = Switches.of(document["values"] | {flag: {"enabled": False}})
        assert off != ALL_ON, f"nobody reads {flag}"
        assert getattr(off, flag.replace("-", "_")) is False
    assert {each.replace("-", "_") for each in document["flags"]} == set(vars(ALL_ON))


@pytest.mark.parametrize("name", ["local", "prod"])
def test_functions_ask_for_the_profile_that_is_deployed(doors, name):
    template = doors[name].inference
    ((deployed, _),) = ids(template, "AWS::AppConfig::Deployment").items()
    first = template.text(ids(template, "AWS::AppConfig::Deployment")[deployed])
    read = settings(template, "rain").flags
    assert read is not None
    of = {
        kind: sample(first[f"{kind}Id"].strip("<>")) for kind in ("Application", "Environment", "ConfigurationProfile")
    }
    assert list(vars(read).values()) == list(of.values())
    profile = only(template, "AWS::AppConfig::ConfigurationProfile")
    assert (profile["Type"], profile["LocationUri"]) == ("AWS.AppConfig.FeatureFlags", "hosted")


def test_a_switch_works_at_once(local):
    strategy = only(local.inference, "AWS::AppConfig::DeploymentStrategy")
    assert strategy["DeploymentDurationInMinutes"] == strategy["FinalBakeTimeInMinutes"] == 0
    assert strategy["GrowthFactor"] == 100


def test_without_switches_there_is_no_profile(opened):
    assert not opened.inference.of_type("AWS::AppConfig::Application")
    for endpoint in ("rain", "snow"):
        assert settings(opened.inference, endpoint).flags is None
        assert "ReadSwitches" not in may(opened.inference, f"Endpoint{endpoint}PredictControlRole")
