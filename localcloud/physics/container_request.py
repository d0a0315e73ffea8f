"""What of a request reaches a container beside its body."""

from localcloud.physics.ports import Headers
from localcloud.physics.records import Request

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


def container_headers(request: Request) -> Headers:
    """Return the few headers that reach a container."""
    headers = {
        "Content-Type": request.get("ContentType") or "application/octet-stream",
        "Accept": request.get("Accept") or "*/*",
    }
    if request.get("CustomAttributes"):
        headers[CUSTOM_ATTRIBUTES] = request["CustomAttributes"]
    return headers
