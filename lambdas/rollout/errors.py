"""Why a call to AWS did not do what was asked, as far as the engine acts differently upon it."""

LONGEST_TEXT = 1000


class TidegateError(Exception):
    """Base of the engine's errors."""


def in_words(error: Exception) -> str:
    """Return an error in words, short enough to be kept; one that nobody foresaw with its kind."""
    text = str(error) if isinstance(error, TidegateError) else f"{type(error).__name__}: {error}"
    return text[:LONGEST_TEXT]


class RetryableError(TidegateError):
    """The same call may succeed later: throttling, a time-out, a fault on AWS's side."""


class EndpointBusyError(RetryableError):
    """The endpoint is being changed and refuses every mutation meanwhile."""


class TimedOutError(RetryableError):
    """No answer came in time, so that nobody knows whether the call was carried out."""


class PermanentError(TidegateError):
    """The same call will fail again until a person changes something: a permission, a name, a quota."""


class AlreadyExistsError(PermanentError):
    """What was to be created is there."""


class ForeignError(PermanentError):
    """Something else of that name is there: somebody else's, which must be left alone."""


class MissingError(PermanentError):
    """What was asked for does not exist."""


class TooLargeError(PermanentError):
    """An object that is too large to be read."""


class TamperedError(PermanentError):
    """An artefact is not the one that was signed, and no later attempt makes it that."""


class ModelAnswerError(TidegateError):
    """The model's own container answered a request with an error."""


class ConflictError(TidegateError):
    """Somebody else changed the item since it was read."""


class LeaseHeldError(TidegateError):
    """Somebody else is working on the endpoint."""
