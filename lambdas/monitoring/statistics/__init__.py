"""Statistics on counts: how far two distributions are apart, and whether chance explains it. Standard library only."""

from lambdas.monitoring.statistics.benjamini_hochberg import adjusted, rejected
from lambdas.monitoring.statistics.groups import enough_expected
from lambdas.monitoring.statistics.jensen_shannon import jensen_shannon
from lambdas.monitoring.statistics.kolmogorov_smirnov import Kolmogorov, kolmogorov_smirnov
from lambdas.monitoring.statistics.l_infinity import categorical, numerical, robust
from lambdas.monitoring.statistics.psi import Psi, psi
from lambdas.monitoring.statistics.sample_size import rows_needed

__all__ = [
    "Kolmogorov",
    "Psi",
    "adjusted",
    "categorical",
    "enough_expected",
    "jensen_shannon",
    "kolmogorov_smirnov",
    "numerical",
    "psi",
    "rejected",
    "robust",
    "rows_needed",
]
