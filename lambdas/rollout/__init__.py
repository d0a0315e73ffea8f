"""The rollout engine: puts a model version on an endpoint step by step, and takes it off again when it is worse."""
