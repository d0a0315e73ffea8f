"""What browsers need to let a page of another origin read an answer (the Fetch standard's CORS protocol).

API Gateway answers a browser's question beforehand; with proxy integrations the answers themselves are the functions'.
"""

from collections.abc import Mapping
from typing import Any

from lambdas.inference.http import Headers
from lambdas.inference.routes import ANSWER_HEADERS
from lambdas.inference.settings import FrontDoor


def shown_to_pages(event: Mapping[str, Any], settings: FrontDoor) -> dict[str, str]:
    """Return the headers by which the page that asks may read the answer; none where it may not, or no page asks."""
    if not settings.cors_origins:
        return {}
    origin = Headers.of(event).get("Origin")
    # Whoever keeps the answer must not give it to a page of another origin.
    varied = {"Vary": "Origin"}
    if origin not in settings.cors_origins:
        return varied
    return {**varied, "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": ", ".join(ANSWER_HEADERS)}
