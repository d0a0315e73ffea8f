"""Nothing that starts or drives a rollout is lost without someone being told."""

import json
from dataclasses import replace

import pytest

from lambdas import contract
from stacks.config import ROOT
from stacks.config.lengths import PATTERN_LIMIT, too_long


def rules(template):
    return {
        name.split("Rule")[0]: resource["Properties"]
        for name, resource in template.of_type("AWS::Events::Rule").items()
    }


def functions(template):
    return {
        name.split("Function")[0]: resource["Properties"]
        for name, resource in template.of_type("AWS::Lambda::Function").items()
    }


def test_every_delivery_is_retried_and_kept_when_it_fails(each):
    for name, rule in rules(each.rollout).items():
        (target,) = rule["Targets"]
        assert each.rollout.text(target["DeadLetterConfig"]["Arn"]).startswith("<LostEventsQueue"), name
        assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0, name


def test_rules_may_reach_their_targets(each):
    template = each.rollout
    permissions = [template.text(one["Properties"]) for one in template.of_type("AWS::Lambda::Permission").values()]
    policies = json.dumps(
        [template.text(one["Properties"]) for one in template.of_type("AWS::SQS::QueuePolicy").values()]
    )
    for name, rule in template.of_type("AWS::Events::Rule").items():
        arn = f"<{name}.Arn>"
        target = template.text(rule["Properties"]["Targets"][0]["Arn"])
        allowed = [one for one in permissions if one["SourceArn"] == arn and one["FunctionName"] == target]
        assert allowed or (f'"{target}"' in policies and f'"{arn}"' in policies), name


def test_patterns_of_as_many_endpoints_as_may_be_fit_into_their_rules(synthesise_changed):
    def crowded(environment):
        (rain,) = environment.endpoints
        rain = replace(rain, front_door=None)  # of these a stack holds fewer
        endpoints = [replace(rain, name=f"abcdefghijklmnopqr-{number:02}") for number in range(30)]
        full = (replace(environment, endpoints=tuple(endpoints[:count])) for count in range(30, 0, -1))
        return next(each for each in full if not list(too_long(each)))

    crowd = synthesise_changed("prod", crowded)
    patterns = [rule.get("EventPattern") for rule in rules(crowd.rollout).values()]
    longest = max(len(json.dumps(crowd.rollout.text(pattern))) for pattern in patterns if pattern)
    assert 0.8 * PATTERN_LIMIT < longest <= PATTERN_LIMIT, "so many fit, and hardly more would"


def test_approvals_come_through_a_queue(local):
    rule = rules(local.rollout)["PackageStates"]
    assert rule["EventPattern"]["detail"] == {"ModelPackageGroupName": ["rain-local"]}
    assert local.rollout.text(rule["Targets"][0]["Arn"]).startswith("<ApprovalsQueue")


def test_alarms_of_both_slots_reach_the_loop(local):
    rule = rules(local.rollout)["AlarmStates"]
    named = {
        alarm["Properties"]["AlarmName"] for alarm in local.serving.of_type("AWS::CloudWatch::CompositeAlarm").values()
    }
    assert {arn.rpartition(":")[2] for arn in local.rollout.text(rule["EventPattern"]["resources"])} == named
    assert named == {contract.unhealthy_alarm("rain-local", slot) for slot in contract.SLOTS}


def test_commands_of_other_accounts_are_not_taken(each):
    """A bus may be open to other accounts, and a command needs no more than its source's name."""
    pattern = each.rollout.text(rules(each.rollout)["Commands"]["EventPattern"])
    assert pattern["account"] == ["123456789012"]


def test_commands_and_endpoint_states_of_other_environments_are_not_taken(local):
    taken = rules(local.rollout)
    assert taken["Commands"]["EventPattern"]["detail"] == {"endpoint": ["rain-local"]}
    assert taken["EndpointStates"]["EventPattern"]["detail"] == {"EndpointName": ["rain-local"]}


def test_events_arrive_whole(each):
    """A command's fields are read from the event, and later ones will be."""
    for rule in rules(each.rollout).values():
        (target,) = rule["Targets"]
        assert not {"Input", "InputPath", "InputTransformer"} & set(target)
    assert set(rules(each.rollout)["Commands"]["EventPattern"]["detail"]) == {"endpoint"}


def test_sweeper_runs_every_minute(each):
    rule = rules(each.rollout)["EveryMinute"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")
    assert each.rollout.text(rule["Targets"][0]["Arn"]).startswith("<TickFunction")


def test_messages_stay_hidden_for_six_times_as_long_as_their_function_runs(each):
    template = each.rollout
    for mapping in template.of_type("AWS::Lambda::EventSourceMapping").values():
        properties = template.text(mapping["Properties"])
        queue = template.body["Resources"][properties["EventSourceArn"].strip("<>").split(".")[0]]["Properties"]
        function = template.body["Resources"][properties["FunctionName"].strip("<>")]["Properties"]
        assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
        assert template.text(queue["RedrivePolicy"]["deadLetterTargetArn"]).startswith("<")
        assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_messages_come_in_batches_and_leave_room_for_events(each):
    """One message at a time would let a thousand endpoints' timers wait for one another."""
    mappings = {
        name: one["Properties"] for name, one in each.rollout.of_type("AWS::Lambda::EventSourceMapping").items()
    }
    assert {name: one["BatchSize"] for name, one in mappings.items() if one["BatchSize"] != 10} == {
        name: 1 for name in mappings if name.startswith("Compare")
    }
    (timers,) = [one for name, one in mappings.items() if name.startswith("React")]
    reserved = each.environment.reserved_concurrency
    expected = 10 if reserved is None else reserved // 2
    assert timers["ScalingConfig"]["MaximumConcurrency"] == expected


def test_events_that_the_loop_fails_on_are_kept(each):
    target = functions(each.rollout)["React"]["DeadLetterConfig"]["TargetArn"]
    assert each.rollout.text(target).startswith("<LostEventsQueue")


def test_a_failed_run_of_the_sweeper_gives_way_to_the_next(each):
    """The heartbeat tells of failures; old runs that are made up for would only crowd the endpoints."""
    assert "DeadLetterConfig" not in functions(each.rollout)["Tick"]
    (config,) = each.rollout.of_type("AWS::Lambda::EventInvokeConfig").values()
    properties = each.rollout.text(config["Properties"])
    assert properties.pop("FunctionName").startswith("<TickFunction")
    assert properties == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0, "Qualifier": "$LATEST"}


def test_lease_of_thirty_seconds_outlives_the_loop(each):
    assert {functions(each.rollout)[name]["Timeout"] for name in ("React", "Tick", "Admit")} == {25}


def test_an_alarm_watches_every_dead_letter_queue(each):
    template = each.rollout
    watched = {
        template.text(alarm["Properties"]["Dimensions"][0]["Value"])
        for alarm in template.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("MetricName") == "ApproximateNumberOfMessagesVisible"
    }
    fed = {
        template.text(mapping["Properties"]["EventSourceArn"]).strip("<>").split(".")[0]
        for mapping in template.of_type("AWS::Lambda::EventSourceMapping").values()
    }
    assert watched == {f"<{name}.QueueName>" for name in template.of_type("AWS::SQS::Queue") if name not in fed}


def test_silence_of_the_sweeper_is_an_alarm(each):
    template = each.rollout
    (alarm,) = [
        template.text(resource["Properties"])
        for name, resource in template.of_type("AWS::CloudWatch::Alarm").items()
        if name.startswith("Heartbeat")
    ]
    assert alarm["TreatMissingData"] == "breaching"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["Metrics"][0]["Expression"] == "invocations - errors"
    series = {one["Id"]: one["MetricStat"]["Metric"] for one in alarm["Metrics"][1:]}
    assert {one["MetricName"] for one in series.values()} == {"Invocations", "Errors"}
    assert all(one["Dimensions"][0]["Value"].startswith("<TickFunction") for one in series.values())


@pytest.mark.parametrize("kind", ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"])
def test_alarms_tell_the_topic(each, kind):
    template = each.rollout if kind.endswith("::Alarm") else each.serving
    for name, alarm in template.of_type(kind).items():
        (action,) = template.text(alarm["Properties"]["AlarmActions"])
        assert action.startswith("<Alerts") or action.endswith(f":tidegate-{each.environment.environment}-alerts"), name


def test_cloudwatch_may_publish_to_the_topic(each):
    statements = each.rollout.one("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (found,) = [one for one in statements if one["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert each.rollout.text(found["Condition"])["StringEquals"] == {"aws:SourceAccount": "123456789012"}


def test_functions_run_on_one_asset_of_this_repository(each):
    codes = set()
    for template in each.templates.values():
        for function in template.of_type("AWS::Lambda::Function").values():
            properties = function["Properties"]
            assert properties["Runtime"] == "python3.14", "no Node functions"
            module = properties["Handler"].removesuffix(".handler").replace(".", "/")
            assert (ROOT / f"{module}.py").is_file(), properties["Handler"]
            codes.add(json.dumps(properties["Code"]["S3Key"]))
    assert len(codes) == 1


def test_loop_functions_are_told_where_everything_is(each):
    for name in ("Admit", "React", "Tick", "Fleet", "Seed", "Cleanup"):
        variables = each.rollout.text(functions(each.rollout)[name]["Environment"]["Variables"])
        assert variables[contract.ENV_ENVIRONMENT] == each.environment.environment
        assert variables[contract.ENV_TABLE].startswith("<Table")
        assert variables[contract.ENV_TIMER_QUEUE_URL].startswith("<TimersQueue")
        assert variables[contract.ENV_TOPIC_ARN].startswith("<Alerts")


def test_concurrency_is_set_aside_where_the_file_says_so(each):
    for name in ("React", "Tick"):
        reserved = functions(each.rollout)[name].get("ReservedConcurrentExecutions")
        assert reserved == each.environment.reserved_concurrency


def dimensions_of_faults(handler, environment, monkeypatch, capsys):
    """Return the dimensions under which a function's faults are counted."""
    from lambdas.rollout.handlers import faults

    monkeypatch.setenv(contract.ENV_ENVIRONMENT, environment)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", handler)
    faults.report([])
    written = json.loads(capsys.readouterr().out)
    (directive,) = written["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Metrics"][0]["Name"]) == (
        contract.METRIC_NAMESPACE,
        contract.FAULTS_METRIC,
    )
    (names,) = directive["Dimensions"]
    return {name: written[name] for name in names}


def test_alarm_tells_of_faults_that_do_not_go_away(each, monkeypatch, capsys):
    """An alarm on other dimensions than those of the metric would see nothing, ever."""
    (alarm,) = [
        resource["Properties"]
        for name, resource in each.rollout.of_type("AWS::CloudWatch::Alarm").items()
        if name.startswith("Faults")
    ]
    service = functions(each.rollout)["Tick"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    counted = dimensions_of_faults(service, each.environment.environment, monkeypatch, capsys)
    assert (alarm["Namespace"], alarm["MetricName"]) == (contract.METRIC_NAMESPACE, contract.FAULTS_METRIC)
    assert {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]} == counted
    assert alarm["AlarmActions"]


def test_a_fault_of_retraining_is_an_alarm_at_once(loop, monkeypatch, capsys):
    (alarm,) = [
        resource["Properties"]
        for name, resource in loop.retraining.of_type("AWS::CloudWatch::Alarm").items()
        if name.startswith("Faults")
    ]
    total, *series = alarm["Metrics"]
    assert total["Expression"] == "FILL(retrain, 0) + FILL(sweep, 0)"
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)
    for one in series:
        name = one["Id"].capitalize()
        service = functions(loop.retraining)[name]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
        counted = dimensions_of_faults(service, "loop", monkeypatch, capsys)
        assert {each["Name"]: each["Value"] for each in one["MetricStat"]["Metric"]["Dimensions"]} == counted
