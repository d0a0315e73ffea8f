"""What a log group holds. Lines come in some time after what they tell of, and the group comes with the first."""

from typing import Any


def messages(logs: Any, group: str, stream: str = "") -> list[str]:
    """Return the lines of a log group, or of its streams whose names begin so; none as long as there is no group."""
    known = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    if group not in [each["logGroupName"] for each in known]:
        return []
    of_streams = {"logStreamNamePrefix": stream} if stream else {}
    return [each["message"] for each in logs.filter_log_events(logGroupName=group, **of_streams)["events"]]
