"""How well a model does: from labels where they are known, estimated from its own probabilities before that."""

from lambdas.monitoring.performance.cbpe import Estimate, Estimates, estimate
from lambdas.monitoring.performance.quality import Confusion, Measured, drop_p_value, measured

__all__ = ["Confusion", "Estimate", "Estimates", "Measured", "drop_p_value", "estimate", "measured"]
