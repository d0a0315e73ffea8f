"""Who issues tokens: keys on an HTTP server of this machine, and tokens by another library than verifies them."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.scenarios.front_door.doors import AUDIENCE

KEY_ID = "of-today"
KEYS_PATH = "/.well-known/jwks.json"


def key_pair(kid: str = KEY_ID) -> RSAKey:
    """Return new keys; the parameters say what they are for, as issuers publish them."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


@dataclass
class Issuer:
    """An issuer of tokens."""

    url: str = ""
    keys: RSAKey = field(default_factory=key_pair)
    asked: int = 0

    def published(self) -> bytes:
        """Return its public keys as a JWK Set."""
        self.asked += 1
        return json.dumps({"keys": [self.keys.as_dict(private=False)]}).encode()

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return claims that are good, but for those that are given; what is None is left out."""
        now = int(time.time())
        good = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "ann",
            "client_id": "shop-backend",
            "iat": now,
            "exp": now + 600,
        }
        return {name: value for name, value in (good | changed).items() if value is not None}

    def token(self, key: RSAKey | None = None, algorithm: str = "RS256", **changed: Any) -> str:
        """Return a token that is good, but for what is given."""
        header = {"alg": algorithm, "kid": KEY_ID, "typ": "JWT"}
        return jwt.encode(header, self.claims(**changed), key or self.keys, algorithms=[algorithm])

    def bearing(self, **changed: Any) -> dict[str, str]:
        """Return the header that brings such a token."""
        return {"Authorization": f"Bearer {self.token(**changed)}"}


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Publish an issuer's keys, for as long as the context lasts."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == KEYS_PATH else 404)
            self.end_headers()
            self.wfile.write(issuer.published())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
