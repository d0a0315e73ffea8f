"""A request as it is sent."""

from dataclasses import dataclass

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Input:
    """A request.

    Parameters
    ----------
    path
        To which it is posted.
    headers
        All but those of the connection.
    body
        What is really meant to hurt.
    json_size
        How much of it is JSON, where tensors follow.
    """

    path: str
    headers: Headers
    body: bytes
    json_size: int | None = None

    def wire(self) -> bytes:
        """Return it as HTTP."""
        head = [f"POST {self.path} HTTP/1.1", "host: here", f"content-length: {len(self.body)}"]
        head += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*head, "", ""]).encode("latin-1") + self.body
