"""SageMaker Pipelines: definitions, and their executions."""
