"""Images that run on SageMaker: `serving` answers requests, `training` makes the models."""
