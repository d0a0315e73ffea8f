"""SageMaker's model registry: groups, versions, approvals, and the events that tell of them."""
