"""EventBridge: events, rules, targets and schedules."""
