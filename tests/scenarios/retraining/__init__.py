"""The closed loop, drift to rollout. Without this file, pytest would keep its environment to the end of the session."""
