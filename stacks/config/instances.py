"""SageMaker instance families: what the serving images (x86-64) can run on, what has GPUs, and what jobs run on."""

from typing import Annotated

from stacks.config.constraints import Matching

GPU_FAMILIES = ("g4dn", "g5", "g6", "g6e", "g7", "g7e", "p4d", "p4de", "p5", "p5e", "p5en")
BLACKWELL_FAMILIES = ("g7", "g7e")
CPU_FAMILIES = ("m5", "m5d", "m6i", "m7i", "c5", "c5d", "c6i", "c6in", "c7i", "r5", "r5d", "r6i", "r7i")
FAMILIES = GPU_FAMILIES + CPU_FAMILIES
JOB_FAMILIES = ("t3", "m5", "m6i", "m7i", "c5", "c6i", "c7i", "r5", "r6i", "r7i")
"""Families that both processing and training jobs may run on; what is counted and trained here needs no GPU."""

InstanceType = Annotated[
    str,
    Matching(
        rf"ml\.({'|'.join(FAMILIES)})\.(large|\d*xlarge)",
        f"a SageMaker instance type of one of the families {', '.join(FAMILIES)}",
        "ml.g5.xlarge, or ml.m5.large without a GPU",
    ),
]
JobInstanceType = Annotated[
    str,
    Matching(
        rf"ml\.({'|'.join(JOB_FAMILIES)})\.(medium|large|\d*xlarge)",
        f"a SageMaker instance type for jobs, of one of the families {', '.join(JOB_FAMILIES)}",
        "ml.m5.large",
    ),
]


def family(instance_type: str) -> str:
    """Return the family of an instance type: ``g5`` of ``ml.g5.xlarge``."""
    return instance_type.split(".")[1]


def has_gpu(instance_type: str) -> bool:
    """Return whether an instance type has GPUs."""
    return family(instance_type) in GPU_FAMILIES
