"""Can rows of the window be told from rows of the reference? Finds drift that no single column shows.

Two columns may change places, or the sign of their correlation, while each keeps its own distribution. So a classifier
is trained on half of both samples to tell them apart, and has to do it on the other half. Its area under the ROC curve
(AUC) there is .5 if nothing has changed; whether it is larger is a Wilcoxon-Mann-Whitney test, which is valid whatever
the classifier is, because the other half had no part in making it.

The classifier is a linear discriminant on those columns, and products of two columns, that differ most in the first
half. Numbers enter as normal scores of their ranks, so that a product's mean is a correlation that outliers cannot
carry; categories as indicators of their levels.

References
----------
S. Rabanser, S. Günnemann and Z. Lipton (2019), Failing loudly: an empirical study of methods for detecting dataset
shift. D. Lopez-Paz and M. Oquab (2017), Revisiting classifier two-sample tests. R. A. Fisher (1936), for the
discriminant.
"""

from lambdas.monitoring.domain_classifier.separation import Separation, separation

__all__ = ["Separation", "separation"]
