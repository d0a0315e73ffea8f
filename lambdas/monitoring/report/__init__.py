"""report.html of a window: which features moved, how, and since when. One file that needs nothing else."""

from lambdas.monitoring.report.page import page

__all__ = ["page"]
