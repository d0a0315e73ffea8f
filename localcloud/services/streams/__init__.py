"""Amazon Data Firehose: delivery streams that collect records into objects in S3."""
