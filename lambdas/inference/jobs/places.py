"""Where jobs' rows and answers lie in the artefact bucket."""

from lambdas.contract import INFERENCE_PREFIX

_HASH_LENGTH = 16


def folder(endpoint: str, identity: str) -> str:
    """Return the folder of a job: all that it leaves in the bucket lies there."""
    return f"{INFERENCE_PREFIX}/{endpoint}/jobs/{identity}/"


def input_key(endpoint: str, identity: str, request_hash: str) -> str:
    """Return where a job's rows lie.

    The hash is in it because the rows are written before the job is: of two requests that use one key for different
    rows, the one that loses must not have overwritten the other's.
    """
    return f"{folder(endpoint, identity)}input-{request_hash[:_HASH_LENGTH]}.json"


def result_key(endpoint: str, identity: str, attempt: int) -> str:
    """Return where an attempt's answer lies.

    Each attempt has a place of its own, so that a worker which was held up cannot change an answer that was given.
    """
    return f"{folder(endpoint, identity)}result-{attempt}.json"
