"""SageMaker instance families that the serving images (x86-64) can run on, and which of them have GPUs."""

GPU_FAMILIES = ("g4dn", "g5", "g6", "g6e", "g7", "g7e", "p4d", "p4de", "p5", "p5e", "p5en")
BLACKWELL_FAMILIES = ("g7", "g7e")
CPU_FAMILIES = ("m5", "m5d", "m6i", "m7i", "c5", "c5d", "c6i", "c6in", "c7i", "r5", "r5d", "r6i", "r7i")
FAMILIES = GPU_FAMILIES + CPU_FAMILIES


def family(instance_type: str) -> str:
    """Return the family of an instance type: ``g5`` of ``ml.g5.xlarge``."""
    return instance_type.split(".")[1]


def has_gpu(instance_type: str) -> bool:
    """Return whether an instance type has GPUs."""
    return family(instance_type) in GPU_FAMILIES
