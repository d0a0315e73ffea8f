"""How the files of a window are shared out among jobs."""

import heapq
import math

from lambdas.monitoring.gathering import Found
from lambdas.monitoring.ports import StoredFile


def number_of_parts(found: Found, most_bytes: int, fewest: int) -> int:
    """Return into how many parts files go: as many as run side by side, or more where a part would be too large."""
    wanted = max(fewest, math.ceil(found.size / most_bytes))
    return max(1, min(wanted, len(found.files)))


def parts_of(found: Found, number: int) -> list[Found]:
    """Return files in parts of about equal size.

    Each file, the largest first, goes to the part that is the smallest so far (Graham's longest processing time first:
    the largest part is at most 4/3 of what the best division has). The same files always give the same parts.
    """
    shares: list[list[StoredFile]] = [[] for _ in range(number)]
    sizes = [(0, place) for place in range(number)]
    for file in sorted(found.files, key=lambda each: (-each.size, each.key)):
        size, place = heapq.heappop(sizes)
        shares[place].append(file)
        heapq.heappush(sizes, (size + file.size, place))
    return [_part(found, share) for share in shares]


def _part(found: Found, share: list[StoredFile]) -> Found:
    files = tuple(sorted(share, key=lambda file: (file.modified_at, file.key)))
    names = {found.name(file) for file in files}
    return Found(found.prefix, files, {name: at for name, at in found.fresh.items() if name in names})
