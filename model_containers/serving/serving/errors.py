"""What ends a start."""


class StartError(Exception):
    """The model cannot be served as it is, or as it is asked for.

    The message says what is wrong, with which value, and the way out: the log has no traceback of it.
    """
