"""Why the monitor could not do what was asked, as far as it acts differently upon it."""

from lambdas.rollout.errors import ConflictError, MissingError, PermanentError, RetryableError, TidegateError

__all__ = [
    "ConflictError",
    "MissingError",
    "OutOfTimeError",
    "PermanentError",
    "RetryableError",
    "SettingsError",
    "TidegateError",
]


class SettingsError(PermanentError):
    """A parameter that this version of the monitor cannot read; the text says which field, and the way out."""


class OutOfTimeError(TidegateError):
    """This invocation ends before the window is counted."""
