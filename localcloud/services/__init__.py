"""Services that the local cloud runs itself: functions, events, queues' consumers, identities, the model registry."""
