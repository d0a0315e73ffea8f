"""The CDK application: what `cdk deploy` makes of an environment's file."""
