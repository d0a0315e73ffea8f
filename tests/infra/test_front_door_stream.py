"""Rows of a stream are answered to another, and those that keep failing end where somebody is told."""

import json

import pytest

from lambdas import contract
from tests.infra.front_doors import endpoint_of, functions, ids, may, only

STREAMED = ["local", "opened"]


@pytest.fixture(params=STREAMED)
def case(request, doors):
    """A template and a front door that has a stream."""
    return doors[request.param].inference, endpoint_of(doors[request.param], "rain")[1]


def stream(template, name):
    """Return the logical id and the properties of a stream."""
    ((found, properties),) = ids(template, "AWS::Kinesis::Stream", f"EndpointrainStream{name}").items()
    return found, properties


def mapping(template):
    return only(template, "AWS::Lambda::EventSourceMapping", "EndpointrainStream")


def test_there_are_two_that_keep_what_is_on_its_way_for_as_long_as_the_file_says(case):
    """A dead letter has no rows, only where they are: while the stream keeps them they can be sent again."""
    template, door = case
    assert len(ids(template, "AWS::Kinesis::Stream")) == 2
    for name in ("Rows", "Answers"):
        _, properties = stream(template, name)
        assert properties["ShardCount"] == door.stream.shards
        assert properties["RetentionPeriodHours"] == 24 * door.stream.keep_days >= 7 * 24


def test_rows_reach_the_function_as_the_file_says(case):
    template, door = case
    found = mapping(template)
    assert found["EventSourceArn"] == f"<{stream(template, 'Rows')[0]}.Arn>"
    assert found["FunctionName"] == f"<{functions(template, 'rain')['stream'][0]}>"
    assert found["BatchSize"] == door.stream.batch_records
    assert found["MaximumBatchingWindowInSeconds"] == door.stream.window_seconds
    assert found["MaximumRetryAttempts"] == door.stream.attempts
    assert found["StartingPosition"] == "TRIM_HORIZON", "what was sent before it was deployed is answered too"


def test_one_bad_row_does_not_hold_up_the_others(case):
    template, _ = case
    found = mapping(template)
    assert found["BisectBatchOnFunctionError"] is True
    assert found["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_what_keeps_failing_ends_in_a_queue_that_is_an_alarm(case):
    template, _ = case
    ((dead, queue),) = ids(template, "AWS::SQS::Queue", "EndpointrainStreamDead").items()
    assert mapping(template)["DestinationConfig"] == {"OnFailure": {"Destination": f"<{dead}.Arn>"}}
    assert queue["MessageRetentionPeriod"] == 14 * 86_400
    alarm = only(template, "AWS::CloudWatch::Alarm", "EndpointrainStreamDead")
    assert alarm["Dimensions"][0]["Value"] == f"<{dead}.QueueName>"
    assert alarm["AlarmActions"]


def test_the_function_reads_rows_writes_answers_and_buries_what_failed_and_nothing_else(case):
    template, _ = case
    allowed = may(template, "EndpointrainStreamWorkRole")
    (dead,) = ids(template, "AWS::SQS::Queue", "EndpointrainStreamDead")
    assert allowed["ReadRows"]["Resource"] == f"<{stream(template, 'Rows')[0]}.Arn>"
    assert allowed["WriteAnswers"]["Resource"] == f"<{stream(template, 'Answers')[0]}.Arn>"
    assert allowed["BuryRows"]["Resource"] == f"<{dead}.Arn>"
    touched = [sid for sid, each in allowed.items() if "kinesis:" in json.dumps(each["Action"])]
    assert touched == ["ReadRows", "WriteAnswers"]


def test_it_is_told_where_answers_go_and_operators_are_told_of_both(case):
    template, _ = case
    rows, answers = (stream(template, name)[0] for name in ("Rows", "Answers"))
    told = template.text(functions(template, "rain")["stream"][1]["Environment"]["Variables"])
    assert told[contract.ENV_OUTPUT_STREAM] == f"<{answers}>"
    places = json.loads(only(template, "AWS::SSM::Parameter", "Endpointrain")["Value"])
    assert (places["rows"], places["answers"]) == (f"<{rows}>", f"<{answers}>")


def test_a_batch_may_take_several_calls_of_the_model(case):
    template, door = case
    assert functions(template, "rain")["stream"][1]["Timeout"] > 3 * door.timeout_seconds


def test_rows_that_wait_for_long_are_told_of(case):
    """They are gone once the stream keeps them no longer, and no dead letter says so."""
    template, _ = case
    (alarm,) = ids(template, "AWS::CloudWatch::Alarm", "EndpointrainStreamBehind").values()
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "IteratorAge", "Maximum")
    (dimension,) = alarm["Dimensions"]
    assert template.text(dimension["Value"]) == f"<{functions(template, 'rain')['stream'][0]}>"
    assert alarm["Threshold"] == 3_600_000 < 24 * 3_600_000, "milliseconds, and fewer than rows are kept for at least"
    (topic,) = template.text(alarm["AlarmActions"])
    assert topic.endswith("-alerts")


def test_where_no_stream_is_asked_for_there_is_none(prod, opened):
    assert not ids(prod.inference, "AWS::Kinesis::Stream")
    assert not ids(opened.inference, "AWS::Kinesis::Stream", "Endpointsnow")
