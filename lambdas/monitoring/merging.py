"""Puts the counts of a window's parts together."""

from lambdas.monitoring.errors import MissingError
from lambdas.monitoring.look_folder import COUNTS, OUTPUT
from lambdas.monitoring.ports import Files
from lambdas.monitoring.profile.window import WindowCounts


def merge_parts(files: Files, bucket: str, folder: str, parts: int, counts_key: str) -> WindowCounts:
    """Merge the counts of all parts below a folder, and write them; doing it again gives the same.

    Parameters
    ----------
    files
        Where they lie.
    bucket, folder
        Bucket, and key of the folder with a folder for each part, by its number.
    parts
        How many there are.
    counts_key
        Key of what is written.

    Raises
    ------
    MissingError
        When a part has left nothing.
    ProfileError
        When a part's counts cannot be read, or belong to another endpoint or baseline.
    """
    merged: WindowCounts | None = None
    for number in range(parts):
        counts = _part(files, f"s3://{bucket}/{folder}{number}/{OUTPUT}{COUNTS}", number, parts)
        merged = counts if merged is None else merged.merge(counts)
    if merged is None:
        raise MissingError(f"there are {parts} parts in {folder}: nothing to merge; start another window")
    files.write(bucket, counts_key, merged.text().encode(), "application/json")
    return merged


def _part(files: Files, uri: str, number: int, parts: int) -> WindowCounts:
    content = files.read(uri)
    if content is None:
        raise MissingError(f"part {number + 1} of {parts} left no counts: there is no {uri}")
    return WindowCounts.of_text(content, f"part {number + 1}")
