"""Log lines of the streams that are asked for."""

import time

import pytest
from botocore.exceptions import ClientError

from tests.logged import messages


@pytest.fixture
def logs(cloud):
    return cloud.client("logs")


@pytest.fixture
def group(logs, workshop):
    """A group of three streams, with a line in each."""
    name = workshop.name("group")
    logs.create_log_group(logGroupName=name)
    for stream in ("job-1/one", "job-1/two", "job-10/one"):
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
        event = {"timestamp": int(time.time() * 1000), "message": f"of {stream}"}
        logs.put_log_events(logGroupName=name, logStreamName=stream, logEvents=[event])
    return name


@pytest.mark.parametrize(
    ("start", "expected"),
    [("job-1/", ["job-1/one", "job-1/two"]), ("job-1", ["job-1/one", "job-1/two", "job-10/one"]), ("job-2", [])],
)
def test_lines_of_the_streams_whose_names_begin_so(logs, group, start, expected):
    assert messages(logs, group, start) == [f"of {stream}" for stream in expected]


def test_other_conditions_hold_besides(logs, group):
    found = logs.filter_log_events(logGroupName=group, logStreamNamePrefix="job-1", filterPattern="two")["events"]
    assert [each["message"] for each in found] == ["of job-1/two"]


def test_streams_are_named_in_one_way(logs, group):
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.filter_log_events(logGroupName=group, logStreamNamePrefix="job", logStreamNames=["job-1/one"])


def test_a_group_that_is_not_there_has_no_lines_and_is_refused_by_the_service(logs, group):
    assert messages(logs, f"{group}-other", "job") == []
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        logs.filter_log_events(logGroupName=f"{group}-other", logStreamNamePrefix="job")
