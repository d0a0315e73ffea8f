"""CloudFormation of the local cloud: deploys a CDK cloud assembly by real API calls."""
