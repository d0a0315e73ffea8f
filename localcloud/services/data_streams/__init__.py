"""Amazon Kinesis Data Streams: records kept in order, a shard each for a part of their keys."""
