"""Rollouts on paper: recorded traffic put through a policy and its judge on a clock that does not wait."""
