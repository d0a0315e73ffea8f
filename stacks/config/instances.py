"""SageMaker instance types: what the serving images (x86-64) can run on, what has GPUs, and what jobs run on.

Which sizes a family has is what botocore's model of SageMaker lists, and a test holds them against it: to load it here
would cost every synthesis a quarter of a second.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from stacks.config.constraints import Refused

_GPU_SIZES = {
    "g4dn": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge",
    "g5": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "g6": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "g6e": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "g7": "2xlarge 4xlarge 8xlarge 12xlarge 24xlarge 48xlarge",
    "g7e": "2xlarge 4xlarge 8xlarge 12xlarge 24xlarge 48xlarge",
    "p4d": "24xlarge",
    "p4de": "24xlarge",
    "p5": "4xlarge 48xlarge",
    "p5e": "48xlarge",
    "p5en": "48xlarge",
}
_CPU_SIZES = {
    "m5": "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge",
    "m5d": "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge",
    "m6i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    "m7i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "c5": "large xlarge 2xlarge 4xlarge 9xlarge 18xlarge",
    "c5d": "large xlarge 2xlarge 4xlarge 9xlarge 18xlarge",
    "c6i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    "c6in": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    "c7i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
    "r5": "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge",
    "r5d": "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge",
    "r6i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    "r7i": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge",
}
_TRANSFORM_SIZES = {kind: _CPU_SIZES[kind] for kind in ("m5", "m6i", "m7i", "c6i", "c7i", "r6i", "r7i")} | {
    "c5": "xlarge 2xlarge 4xlarge 9xlarge 18xlarge",
}
_JOB_SIZES = _TRANSFORM_SIZES | {
    "t3": "medium large xlarge 2xlarge",
    "c6i": "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge",
    "r5": "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge",
}

GPU_FAMILIES = tuple(_GPU_SIZES)
BLACKWELL_FAMILIES = ("g7", "g7e")


def _types(sizes: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"ml.{kind}.{size}" for kind, listed in sizes.items() for size in listed.split())


ENDPOINT_TYPES = _types(_GPU_SIZES | _CPU_SIZES)
TRANSFORM_TYPES = _types(_TRANSFORM_SIZES)
"""What batches are answered on; nothing here that needs a GPU is."""

JOB_TYPES = _types(_JOB_SIZES)
"""What both processing and training jobs may run on; what is counted and trained here needs no GPU."""


def family(instance_type: str) -> str:
    """Return the family of an instance type: ``g5`` of ``ml.g5.xlarge``."""
    return instance_type.split(".")[1]


def has_gpu(instance_type: str) -> bool:
    """Return whether an instance type has GPUs."""
    return family(instance_type) in GPU_FAMILIES


@dataclass(frozen=True)
class OneOfTypes:
    """One of SageMaker's instance types for a `use`; `example` is one."""

    types: tuple[str, ...]
    use: str
    example: str

    def refusal(self, value: str) -> Refused | None:
        """Say what is allowed if `value` is not, else None."""
        if value in self.types:
            return None
        kind = value.rpartition(".")[0]
        sizes = [size for each, _, size in (known.rpartition(".") for known in self.types) if each == kind]
        if sizes:
            return Refused(
                f"SageMaker has no such size for {self.use}", f"choose another: {kind} has {', '.join(sizes)}"
            )
        families = dict.fromkeys(map(family, self.types))
        return Refused(
            f"it must be a SageMaker instance type for {self.use}, of one of the families {', '.join(families)}",
            f"write it like {self.example}",
        )

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema keywords for this."""
        return {"enum": list(self.types)}


InstanceType = Annotated[str, OneOfTypes(ENDPOINT_TYPES, "endpoints", "ml.g5.xlarge, or ml.m5.large without a GPU")]
TransformInstanceType = Annotated[str, OneOfTypes(TRANSFORM_TYPES, "Batch Transform", "ml.m5.large")]
JobInstanceType = Annotated[str, OneOfTypes(JOB_TYPES, "processing and training jobs", "ml.m5.large")]
