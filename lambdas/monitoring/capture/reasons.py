"""Why a captured line, or the answer in it, could not be counted. The names are API: reports and events carry them."""

NOT_UTF8 = "not_utf8"
NOT_JSON = "not_json"
TRUNCATED = "truncated"
TOO_LONG = "too_long"
NOT_A_RECORD = "not_a_record"
NO_INPUT = "no_input"
NO_TIME = "no_time"
UNKNOWN_ENCODING = "unknown_encoding"
BAD_BASE64 = "bad_base64"
UNSUPPORTED_CONTENT_TYPE = "unsupported_content_type"
WRONG_FORM = "wrong_form"
WRONG_WIDTH = "wrong_width"
NOT_A_NUMBER = "not_a_number"
NOT_A_CATEGORY = "not_a_category"
NO_ROWS = "no_rows"

IN_THE_FUTURE = "in_the_future"
"""A line says that it is from after its file was written; no window would ever count it."""

FILE_GONE = "file_gone"
"""A whole file was deleted between being listed and being read."""

OF_ANSWER = "answer_"
"""Begins the reasons for which only an answer could not be counted; the rows of its request were."""

ANSWER_COUNT = "answer_count"
"""An answer has another number of rows than its request."""

LABEL_COUNT = "label_count"
"""A label has another number of values than its request has rows."""

OF_LABEL = "label_"
"""Begins the reasons for which a line of labels could not be used."""

LONGEST_WHY = 200
"""Characters of an explanation that is kept; it may quote what somebody sent."""


class UnreadableError(Exception):
    """A line, or one part of it, cannot be read.

    Parameters
    ----------
    reason
        One of the names above.
    why
        What is wrong, with the value, for a person.
    """

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(f"{reason}: {why}")
        self.reason = reason
        self.why = why[:LONGEST_WHY]
