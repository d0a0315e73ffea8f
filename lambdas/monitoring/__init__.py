"""The drift monitor: counts what was captured, and says what has moved since the model was trained."""
