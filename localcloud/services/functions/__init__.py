"""AWS Lambda on this machine: real runtimes in processes, invoked, retried, logged and limited as Lambda does."""
