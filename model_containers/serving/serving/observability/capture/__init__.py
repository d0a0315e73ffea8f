"""The container's own capture: sampled requests and answers as lines on standard output, as SageMaker captures them.

SageMaker ships standard output to CloudWatch Logs also where network isolation forbids all calls, and from there the
lines go to S3. Nothing here may disturb inference: what a request costs is a look at its size and a place in a bounded
buffer; a thread of its own redacts, writes, and counts what had to be dropped.
"""

from .recorder import Recorder
from .redaction import UnknownColumnError
from .sampling import Sampling

__all__ = ["Recorder", "Sampling", "UnknownColumnError"]
