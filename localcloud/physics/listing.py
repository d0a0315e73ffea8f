"""The filters, orders and pages that SageMaker's List operations share."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from localcloud.physics.paging import page
from localcloud.physics.records import Request
from localcloud.physics.times import to_epoch

_DEFAULT_PAGE = 10


class Listed(Protocol):
    """What can be listed."""

    @property
    def name(self) -> str:
        """Name to filter and sort by."""

    @property
    def created_at(self) -> float:
        """Time to filter and sort by."""


Item = TypeVar("Item", bound=Listed)


def listing(
    key: str, items: Sequence[Item], request: Request, summarise: Callable[[Item], dict[str, Any]]
) -> dict[str, Any]:
    """Return one page of the items that the request wants, under `key`."""
    wanted = sorted((item for item in items if _wanted(item, request)), key=lambda item: _order(item, request))
    if request.get("SortOrder", "Descending") == "Descending":
        wanted.reverse()
    chosen, token = page(wanted, request.get("NextToken"), int(request.get("MaxResults") or _DEFAULT_PAGE))
    answer: dict[str, Any] = {key: [summarise(item) for item in chosen]}
    return {**answer, "NextToken": token} if token else answer


def _wanted(item: Listed, request: Request) -> bool:
    modified = getattr(item, "modified_at", item.created_at)
    return (
        (request.get("NameContains") or "").lower() in item.name.lower()
        and request.get("StatusEquals") in (None, getattr(item, "status", None))
        and _within(item.created_at, request.get("CreationTimeAfter"), request.get("CreationTimeBefore"))
        and _within(modified, request.get("LastModifiedTimeAfter"), request.get("LastModifiedTimeBefore"))
    )


def _within(at: float, after: Any, before: Any) -> bool:
    return (after is None or at > to_epoch(after)) and (before is None or at < to_epoch(before))


def _order(item: Listed, request: Request) -> tuple[Any, ...]:
    if request.get("SortBy") == "Name":
        return (item.name,)
    if request.get("SortBy") == "Status":
        return (getattr(item, "status", ""), item.name)
    return (item.created_at, item.name)
