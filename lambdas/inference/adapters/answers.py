"""Answers that are kept in the front doors' table."""

from lambdas.contract import TABLE_EXPIRY, TABLE_PARTITION_KEY, TABLE_SORT_KEY
from lambdas.inference.ports import AnswerKey, KeptAnswer, Table

SORT_KEY = "ANSWER"


def partition(key: AnswerKey) -> str:
    """Return the partition key of an answer."""
    return f"CACHE#{key.endpoint}#{key.who}#{key.input_hash}"


class TableAnswers:
    """Implements `lambdas.inference.ports.AnswerStore`.

    Parameters
    ----------
    table
        The table.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def prime(self) -> None:
        """Do nothing: what is read at every start shares the table's connection."""

    def get(self, key: AnswerKey) -> KeptAnswer | None:
        """Return an answer; None when there is none."""
        item = self._table.get(partition(key), SORT_KEY)
        if item is None:
            return None
        return KeptAnswer(str(item["body"]), str(item["key"]), str(item["version"]), float(item["at"]))

    def put(self, key: AnswerKey, answer: KeptAnswer, seconds: int) -> None:
        """Keep an answer; the table deletes it in the days after it has expired."""
        self._table.put(
            {
                TABLE_PARTITION_KEY: partition(key),
                TABLE_SORT_KEY: SORT_KEY,
                "body": answer.body,
                "key": answer.who,
                "version": answer.version,
                "at": answer.at,
                TABLE_EXPIRY: int(answer.at) + seconds,
            }
        )
