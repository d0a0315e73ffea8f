"""What the fast path can say: that it will not."""


class NotCleanError(Exception):
    """These lines are to be counted by the careful path: something in them is not as the fast path needs it.

    That it is wrong is not said: what is wrong, and with which line, only the careful path decides.
    """


class JobError(Exception):
    """The job cannot be done as it was asked for; the message names the setting or the file, and the way out."""


class TableError(Exception):
    """A table cannot be counted; the message names the column, and what is wrong."""
