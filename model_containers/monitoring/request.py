"""What a counting job is asked: `request.json`, as `lambdas.monitoring.jobs.request_of` writes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambdas.monitoring.profile.quality import OutputRoles

from .errors import JobError


@dataclass(frozen=True)
class Request:
    """A window to count.

    Parameters
    ----------
    endpoint
        Whose captures they are.
    start, end
        The window, in epoch seconds.
    slices
        Columns by whose values performance is counted apart.
    versions
        Model version by production variant.
    roles
        Which output is what; None for what the baseline says.
    fresh, fresh_labels
        Files for whose late lines this window accounts too, and when each was last written; None: all files.
    own
        Files for whose lines without a time it accounts; None: the fresh ones.
    tells_of_labels
        Whether lines of labels that cannot be used are counted here: of several parts of a window only one does.
    """

    endpoint: str
    start: float
    end: float
    slices: tuple[str, ...] = ()
    versions: Mapping[str, str] | None = None
    roles: OutputRoles | None = None
    fresh: Mapping[str, float] | None = None
    fresh_labels: Mapping[str, float] | None = None
    own: tuple[str, ...] | None = None
    tells_of_labels: bool = True

    @classmethod
    def read(cls, path: Path) -> "Request":
        """Read the file.

        Raises
        ------
        JobError
            When it is missing, or a field is.
        """
        try:
            told = json.loads(path.read_bytes())
        except OSError as error:
            raise JobError(f"{path} cannot be read ({error.strerror}); give the job its input `request`") from error
        except ValueError as error:
            raise JobError(f"{path} is not JSON ({error}); start the job anew") from error
        if type(told) is not dict:
            raise JobError(f"{path} is no JSON object; start the job anew")
        own = _optional(told, "own", list)
        request = cls(
            endpoint=_field(told, "endpoint", str),
            start=float(_field(told, "start", int, float)),
            end=float(_field(told, "end", int, float)),
            slices=tuple(_optional(told, "slices", list) or ()),
            versions=_optional(told, "versions", dict),
            roles=_roles(_optional(told, "roles", dict)),
            fresh=_optional(told, "fresh", dict),
            fresh_labels=_optional(told, "fresh_labels", dict),
            own=None if own is None else tuple(own),
            tells_of_labels=_optional(told, "tells_of_labels", bool) is not False,
        )
        if request.start >= request.end:
            raise JobError(f"request.end is {request.end}, which is not after request.start, {request.start}")
        return request


def _roles(told: dict[str, Any] | None) -> OutputRoles | None:
    if told is None:
        return None
    threshold = told.get("threshold")
    return OutputRoles(
        _optional(told, "probability", str),
        _optional(told, "prediction", str),
        0.5 if threshold is None else float(_field(told, "threshold", int, float)),
    )


def _field(told: Mapping[str, Any], name: str, *kinds: type) -> Any:
    value = told.get(name)
    if type(value) not in kinds:
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise JobError(f"request.{name} is {str(value)[:80]!r}; it must be a JSON {wanted}")
    return value


def _optional(told: Mapping[str, Any], name: str, kind: type) -> Any:
    return None if told.get(name) is None else _field(told, name, kind)
