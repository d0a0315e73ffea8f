"""What the command line tells a person when it cannot go on: what happened, and what to do next."""


class OperatorError(Exception):
    """A failure that a person can act on.

    Parameters
    ----------
    message
        What happened, naming the thing and its value.
    hint
        What to do next; a command where there is one.
    """

    exit_status = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(OperatorError):
    """The command was given something that it cannot work with."""

    exit_status = 2


class RefusedError(OperatorError):
    """The engine refused a command; the message is its reason."""

    exit_status = 3


class NotPromotedError(OperatorError):
    """A rollout that was waited for ended, though not in PROMOTED."""

    exit_status = 4
