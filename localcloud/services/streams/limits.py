"""Where delivery streams and subscription filters differ from AWS's; the documentation shows this list."""

from localcloud.physics.limits import Limit

LIMITS: tuple[Limit, ...] = (
    Limit(
        "Delivery streams",
        "DirectPut into S3, as it is or as Parquet, with the processors Decompression, CloudWatchLogProcessing and "
        "AppendDelimiterToRecord; other sources, destinations, processors, formats, partitions and time zones are "
        "refused by name. A stream is active at once and cannot be updated; its own key is recorded and not used. "
        "Objects are written under the stream's role, and again and again until that succeeds.",
        "All of these exist; deliveries are retried for 24 hours, the key is used under a grant.",
    ),
    Limit(
        "Format conversion",
        "JSON (OpenX) to Parquet by a Glue table of this account, of string, integer, float, double, boolean, "
        "timestamp, date, array and struct columns; other types, readers and writers are refused by name. The table is "
        "read anew for each object, version LATEST as well as a number. A timestamp is Parquet's microseconds. A "
        "fractional number does not fit an integer column. A record of several documents fits as a whole or not at "
        "all.",
        "Hive's JSON reader and ORC too, maps and decimals; timestamps are INT96. What becomes of the other documents "
        "of such a record is not documented.",
    ),
    Limit(
        "Messages extracted from log events",
        "Each is on a line of its own, and that of a control message is among them.",
        "Inferred: that control messages are delivered is not documented.",
    ),
    Limit(
        "Subscription filters",
        "To delivery streams of this account, two a log group. Patterns are empty, or compare properties of JSON "
        "events with texts and numbers (= and !=), joined by &&; all others are refused by name. What a destination "
        "does not take is sent 5 times.",
        "To functions, streams and other accounts as well; all patterns; retried for up to 24 hours.",
    ),
)
