"""AWS behind the ports of retraining."""
