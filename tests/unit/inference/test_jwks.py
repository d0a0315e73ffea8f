"""The issuer's keys: from where they are fetched, and for how long they are believed."""

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from lambdas.inference.jwks import LARGEST_BYTES, IssuerKeys, KeysUnreachableError, fetched, keys_of
from lambdas.inference.problems import Problem
from lambdas.rollout.errors import PermanentError
from tests.unit.inference.tokens import JWKS_URL, jwk, key_set


@dataclass
class Issuer:
    """An issuer on a clock of its own."""

    published: bytes = field(default_factory=lambda: key_set(jwk()))
    is_down: bool = False
    asked: int = 0
    time: float = 1000.0

    def fetch(self, url: str) -> bytes:
        assert url == JWKS_URL
        self.asked += 1
        if self.is_down:
            raise OSError("connection refused")
        return self.published

    def keys(self) -> IssuerKeys:
        return IssuerKeys(JWKS_URL, lambda: self.time, self.fetch)


def test_the_issuer_is_asked_once_in_ten_minutes() -> None:
    issuer = Issuer()
    keys = issuer.keys()

    assert keys.find("key-1") == keys.find("key-1")
    issuer.time += 599
    assert keys.find("key-1")
    assert issuer.asked == 1
    issuer.time += 1
    assert keys.find("key-1")
    assert issuer.asked == 2


def test_a_key_that_was_taken_back_is_no_longer_believed() -> None:
    issuer = Issuer()
    keys = issuer.keys()
    assert keys.find("key-1")
    issuer.published = key_set(jwk("key-2"))
    issuer.time += 600

    assert keys.find("key-1") is None


def test_a_new_key_is_found_at_once_but_not_by_asking_all_the_time() -> None:
    issuer = Issuer()
    keys = issuer.keys()
    assert keys.find("key-1")
    issuer.published = key_set(jwk(), jwk("key-2"))
    issuer.time += 29

    assert keys.find("key-2") is None
    assert issuer.asked == 1
    issuer.time += 1
    assert keys.find("key-2")
    assert issuer.asked == 2
    for _ in range(50):
        issuer.time += 0.5
        assert keys.find("made-up") is None
    assert issuer.asked == 2


def test_a_first_unknown_key_asks_once() -> None:
    issuer = Issuer()

    assert issuer.keys().find("made-up") is None
    assert issuer.asked == 1


def test_an_issuer_that_is_down_shuts_nobody_out_for_an_hour() -> None:
    issuer = Issuer()
    keys = issuer.keys()
    assert keys.find("key-1")
    issuer.is_down = True
    issuer.time += 3599

    assert keys.find("key-1")
    assert issuer.asked == 2
    issuer.time += 1
    with pytest.raises(KeysUnreachableError):
        keys.find("key-1")
    assert issuer.asked == 2
    issuer.time += 30
    with pytest.raises(KeysUnreachableError, match="connection refused"):
        keys.find("key-1")
    issuer.is_down = False
    issuer.time += 30
    assert keys.find("key-1")


def test_an_issuer_that_never_answered_is_asked_every_time() -> None:
    issuer = Issuer(is_down=True)
    keys = issuer.keys()
    for _ in range(2):
        with pytest.raises(KeysUnreachableError, match="connection refused"):
            keys.find("key-1")
    issuer.is_down = False

    assert keys.find("key-1")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": {}}', b"<html>"])
def test_what_is_no_set_of_keys_is_not_one(body: bytes) -> None:
    with pytest.raises((ValueError, Problem)):
        keys_of(body)
    with pytest.raises(KeysUnreachableError):
        Issuer(published=body).keys().find("key-1")


@pytest.mark.parametrize(
    "url", ["http://issuer.example/keys", "http://10.0.0.1/", "file:///etc/passwd", "ftp://localhost/"]
)
def test_keys_come_over_https_alone(url: str) -> None:
    with pytest.raises(PermanentError, match="https"):
        fetched(url)


Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve one answer on this machine, and return its URL."""
    servers: list[http.server.HTTPServer] = []

    def start(body: bytes, status: int = 200, location: str = "") -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *parts: object) -> None:
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/keys?v=1"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_keys_are_fetched_from_this_machine_without_tls(serve: Serve) -> None:
    assert IssuerKeys(serve(key_set(jwk())), lambda: 0.0).find("key-1")


def test_a_redirect_is_not_followed(serve: Serve) -> None:
    with pytest.raises(ValueError, match="302"):
        fetched(serve(b"", 302, serve(key_set(jwk()))))


def test_too_much_is_not_read(serve: Serve) -> None:
    with pytest.raises(ValueError, match="length"):
        fetched(serve(b" " * (LARGEST_BYTES + 1)))
