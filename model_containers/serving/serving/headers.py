"""Reading the request headers that matter here."""

from collections.abc import Iterable

CONTENT_TYPE = "content-type"
CONTENT_ENCODING = "content-encoding"
ACCEPT = "accept"
CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
INFERENCE_ID = "x-amzn-sagemaker-inference-id"
TENSORS_FOLLOW = "inference-header-content-length"
"""In the Open Inference Protocol: after how many bytes of JSON binary tensors begin."""

ECHOED = (CUSTOM_ATTRIBUTES, INFERENCE_ID)
"""What the caller gets back as sent: SageMaker returns custom attributes only if the container sets them."""

_WANTED = {each.encode(): each for each in (CONTENT_TYPE, CONTENT_ENCODING, ACCEPT, TENSORS_FOLLOW, *ECHOED)}


def read(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers that matter, of those with lower-case names; of a repeated one the last counts."""
    return {_WANTED[name]: value.decode("latin-1") for name, value in raw if name in _WANTED}


def media_type(value: str) -> str:
    """Return a media type without its parameters (``text/csv; charset=utf-8`` is ``text/csv``)."""
    return value.partition(";")[0].strip().lower()


def accepted(value: str) -> list[str]:
    """Return the media types of an Accept header, the preferred first; a quality of 0 rules one out."""
    ranked = sorted((_weighted(part) for part in value.split(",") if part.strip()), key=lambda each: -each[0])
    return [media for quality, media in ranked if quality > 0]


def _weighted(part: str) -> tuple[float, str]:
    quality = 1.0
    for parameter in part.split(";")[1:]:
        key, _, text = parameter.partition("=")
        if key.strip().lower() == "q":
            quality = _number(text)
    return quality, media_type(part)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
