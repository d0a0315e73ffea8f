"""Signatures, and artefacts that are what was signed until a test says otherwise."""

from dataclasses import dataclass, field
from hashlib import sha256

from lambdas.rollout.errors import MissingError, TidegateError


def signed(uri: str) -> str:
    """Return the SHA-256 that an artefact is signed with which no test has put there: it holds its own name."""
    return sha256(uri.encode()).hexdigest()


@dataclass
class FakeTrust:
    """KMS, whose signatures are a digest of key and message, and the objects that artefacts are."""

    objects: dict[str, bytes | None] = field(default_factory=dict)
    """What tests have put there; None is an object that is gone."""
    errors: list[TidegateError] = field(default_factory=list)
    unread: list[TidegateError] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Keys that were asked about signatures, and artefacts that were read."""

    def sign(self, key: str, message: bytes) -> bytes:
        return sha256(key.encode() + message).digest()

    def is_valid(self, key: str, message: bytes, signature: bytes) -> bool:
        self.asked.append(key)
        if self.errors:
            raise self.errors.pop(0)
        return signature == self.sign(key, message)

    def sha256(self, uri: str) -> str:
        self.asked.append(uri)
        if self.unread:
            raise self.unread.pop(0)
        content = self.objects.get(uri, uri.encode())
        if content is None:
            raise MissingError(f"{uri} is not there")
        return sha256(content).hexdigest()
