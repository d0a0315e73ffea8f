"""API Gateway's REST APIs, regional: their configuration, and real HTTP in front of functions."""
