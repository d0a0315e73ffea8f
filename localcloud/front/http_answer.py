"""An HTTP answer whose headers keep their case and may come more than once."""

from dataclasses import dataclass, field


@dataclass
class HttpAnswer:
    """An answer of an API to its caller."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
