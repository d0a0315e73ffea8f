"""Answers that are kept in Valkey.

A value is a line of JSON, and behind it the answer as it was given. The line says what the value stands under: what an
answer of the server says that belongs to another question is taken for none.
"""

import json

from lambdas.inference.adapters.valkey_connection import KeptConnection
from lambdas.inference.ports import AnswerKey, KeptAnswer

_END = b"\n"


def name_of(key: AnswerKey) -> str:
    """Return the key of an answer; a user's access string opens those of one endpoint, which has no colon.

    It has no hash tag: the answers of an endpoint are to spread over all of the cache's slots.
    """
    return f"{key.endpoint}:{key.who}:{key.input_hash}"


class ValkeyAnswers:
    """Implements `lambdas.inference.ports.AnswerStore`.

    Parameters
    ----------
    connection
        The way to the cache.
    """

    def __init__(self, connection: KeptConnection) -> None:
        self._connection = connection

    def prime(self) -> None:
        """Connect."""
        self._connection.open()

    def get(self, key: AnswerKey) -> KeptAnswer | None:
        """Return an answer; None when there is none, or what came is the answer to another question."""
        name = name_of(key)
        value = self._connection.ask("GET", name)
        return None if value is None else _read(value, name)

    def put(self, key: AnswerKey, answer: KeptAnswer, seconds: int) -> None:
        """Keep an answer until it expires."""
        name = name_of(key)
        self._connection.ask("SET", name, _written(answer, name), "EX", seconds)


def _written(answer: KeptAnswer, name: str) -> bytes:
    head = {"name": name, "who": answer.who, "version": answer.version, "at": answer.at}
    return json.dumps(head, separators=(",", ":")).encode() + _END + answer.body.encode()


def _read(value: object, name: str) -> KeptAnswer | None:
    if not isinstance(value, bytes):
        raise TypeError(f"{name} is {type(value).__name__}")
    line, _, body = value.partition(_END)
    head = json.loads(line)
    if head["name"] != name:
        return None
    return KeptAnswer(body.decode(), str(head["who"]), str(head["version"]), float(head["at"]))
