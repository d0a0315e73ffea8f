"""Why a state, or an execution, does not succeed."""

RUNTIME = "States.Runtime"
DATA_LIMIT = "States.DataLimitExceeded"
TASK_FAILED = "States.TaskFailed"
NO_CHOICE = "States.NoChoiceMatched"
TIMEOUT = "States.Timeout"
PERMISSIONS = "States.Permissions"
READER_FAILED = "States.ItemReaderFailed"
TOO_MANY_FAILED = "States.ExceedToleratedFailureThreshold"

_UNCATCHABLE = (RUNTIME, DATA_LIMIT)


class StateError(Exception):
    """A state fails.

    Parameters
    ----------
    error
        Name by which Retry and Catch know it.
    cause
        Text for people.
    """

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause

    def is_one_of(self, names: tuple[str, ...]) -> bool:
        """Whether a retrier or catcher with these names is for it; nothing is for errors of the definition itself."""
        if self.error in _UNCATCHABLE:
            return False
        any_task = TASK_FAILED in names and self.error != TIMEOUT
        return any_task or "States.ALL" in names or self.error in names


class StoppedError(Exception):
    """The execution is being stopped."""


class ClosedError(Exception):
    """The local cloud stops: nothing is concluded."""
