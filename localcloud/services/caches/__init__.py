"""Amazon ElastiCache Serverless for Valkey: caches behind TLS and IAM, each a server process."""
