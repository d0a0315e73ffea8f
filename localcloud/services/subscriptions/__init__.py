"""Subscription filters of CloudWatch Logs: log events that match go to a delivery stream."""
