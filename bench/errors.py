"""What goes wrong with a benchmark, as against with its code."""


class BenchError(RuntimeError):
    """Something could not be measured; the message says what and why."""
