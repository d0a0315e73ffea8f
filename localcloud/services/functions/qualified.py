"""A function as requests name it: by name or ARN, with a version or an alias or without."""

from dataclasses import dataclass

from localcloud.errors import AwsError

LATEST = "$LATEST"
"""The version that can be changed."""


@dataclass(frozen=True)
class Qualified:
    """A function's name, and the qualifier that was given with it.

    Parameters
    ----------
    name
        Of the function.
    qualifier
        A version's number, an alias, ``$LATEST``, or None where the request has none.
    """

    name: str
    qualifier: str | None = None

    @classmethod
    def of(cls, name: str, qualifier: str | None = None) -> "Qualified":
        """Read ``name``, ``account:function:name`` or an ARN, each with a qualifier of its own or with `qualifier`."""
        parts = name.split(":")
        position = parts.index("function") + 1 if "function" in parts else 0
        own = parts[position + 1] if len(parts) > position + 1 else None
        if own is not None and qualifier is not None and own != qualifier:
            raise AwsError(
                "InvalidParameterValueException",
                "The derived qualifier from the function name does not match the specified qualifier: "
                f"{own!r} and {qualifier!r}",
            )
        return cls(parts[position], own or qualifier)

    @property
    def key(self) -> str | None:
        """Return the qualifier under which settings are kept: ``$LATEST`` is the function itself."""
        return None if self.qualifier == LATEST else self.qualifier

    @property
    def text(self) -> str:
        """Return ``name`` or ``name:qualifier``, as it was asked for."""
        return f"{self.name}:{self.qualifier}" if self.qualifier else self.name

    @property
    def settings_key(self) -> str:
        """Return the same for what is kept per qualifier."""
        return f"{self.name}:{self.key}" if self.key else self.name

    def unqualified(self) -> "Qualified":
        """Return itself; raise an error for a version or an alias, which this request cannot be about."""
        if self.key is not None:
            raise AwsError(
                "InvalidParameterValueException",
                f"{self.text} names a version or an alias, and this request is about the function itself: "
                f"ask for {self.name}",
            )
        return self
