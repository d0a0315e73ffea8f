"""Configuration sessions: single-use tokens with which a client polls."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from localcloud.errors import AwsError

TOKEN_SECONDS = 24 * 3600.0
DEFAULT_INTERVAL = 60
_REMEMBERED = 10_000


@dataclass(frozen=True)
class Session:
    """What a token stands for; `seen` is the version that the client has, and `client` its place from 0 to 1."""

    application: str
    environment: str
    profile: str
    interval: int | None
    client: float = field(default_factory=lambda: secrets.randbelow(1 << 32) / (1 << 32))
    seen: int | None = None
    not_before: float = 0.0
    expires_at: float = 0.0


class Sessions:
    """Tokens and what they stand for.

    Parameters
    ----------
    now
        Time in epoch seconds.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._open: dict[str, Session] = {}

    def start(self, session: Session) -> str:
        """Return the first token of a session."""
        return self._token(replace(session, expires_at=self._now() + TOKEN_SECONDS))

    def look(self, token: str) -> Session:
        """Return what a token stands for; raise BadRequestException if it was used, or cannot be used yet or more."""
        session = self._open.get(token)
        if session is None:
            raise _bad("Corrupted", "The token is unknown, or was used already: each serves once.")
        if self._now() > session.expires_at:
            raise _bad("Expired", "The token is older than 24 hours: start another session.")
        if self._now() < session.not_before:
            wait = session.not_before - self._now()
            message = f"The session's poll interval is {session.interval} s: poll again in {wait:.0f} s."
            raise _bad("PollIntervalNotSatisfied", message)
        return session

    def follow(self, token: str, seen: int) -> str:
        """Use a token up, and return the next one of the session."""
        session = self._open.pop(token)
        now = self._now()
        waits = now + session.interval if session.interval else 0.0
        return self._token(replace(session, seen=seen, not_before=waits, expires_at=now + TOKEN_SECONDS))

    def _token(self, session: Session) -> str:
        token = secrets.token_urlsafe(64)
        self._open[token] = session
        while len(self._open) > _REMEMBERED:
            self._open.pop(next(iter(self._open)))
        return token


def _bad(problem: str, message: str) -> AwsError:
    details: dict[str, Any] = {"InvalidParameters": {"ConfigurationToken": {"Problem": problem}}}
    extra: dict[str, object] = {"Reason": "InvalidParameters", "Details": details}
    return AwsError("BadRequestException", message, 400, extra)
