"""The challenger's signature: the champion's, widened where the data call for it; and whether two are compatible."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import NDArray

Signature = dict[str, Any]
Widened = dict[str, dict[str, list[float]]]


def widened(champion: Signature, values: NDArray[np.float64]) -> Signature:
    """Return the champion's signature, its bounds moved out to the whole number beyond any value that lies outside.

    Parameters
    ----------
    champion
        A signature with columns.
    values
        Rows that the challenger has learnt from, columns as the signature's.
    """
    signature = deepcopy(champion)
    for column, seen in zip(signature["columns"], values.T, strict=True):
        least, most = column.get("minimum"), column.get("maximum")
        if least is not None and seen.min() < least:
            column["minimum"] = float(np.floor(seen.min()))
        if most is not None and seen.max() > most:
            column["maximum"] = float(np.ceil(seen.max()))
    return signature


def widenings(champion: Mapping[str, Any], challenger: Mapping[str, Any]) -> Widened:
    """Return by column the bounds that moved out, old and new."""
    found: Widened = {}
    for old, new in zip(champion["columns"], challenger["columns"], strict=False):
        moved = {
            bound: [old[bound], new[bound]]
            for bound, outwards in (("minimum", -1), ("maximum", 1))
            if None not in (old.get(bound), new.get(bound)) and outwards * (new[bound] - old[bound]) > 0
        }
        if moved:
            found[str(old["name"])] = moved
    return found


def differences(champion: Mapping[str, Any], challenger: Mapping[str, Any]) -> list[str]:
    """Return in words why a caller of the champion might not be able to call the challenger; none is compatible.

    A request that the champion takes must be taken, and be answered under the same names.
    """
    return [*_inputs(champion, challenger), *_outputs(champion, challenger)]


def _inputs(champion: Mapping[str, Any], challenger: Mapping[str, Any]) -> Iterator[str]:
    old, new = champion.get("columns", []), challenger.get("columns", [])
    names = [[column["name"] for column in each] for each in (old, new)]
    if names[0] != names[1] or champion.get("row_shape") != challenger.get("row_shape"):
        yield f"the columns were {names[0]} and are {names[1]}"
        return
    for before, after in zip(old, new, strict=True):
        name = before["name"]
        for key, usual in (("dtype", None), ("categories", [])):
            if before.get(key, usual) != after.get(key, usual):
                yield f"{key} of {name} was {before.get(key)} and is {after.get(key)}"
        if before.get("allow_missing", False) and not after.get("allow_missing", False):
            yield f"{name} could be missing and can no longer"
        for bound, outwards in (("minimum", -1), ("maximum", 1)):
            was, now = before.get(bound), after.get(bound)
            if now is not None and (was is None or outwards * (now - was) < 0):
                yield f"the {bound} of {name} was {was} and is narrower, {now}"


def _outputs(champion: Mapping[str, Any], challenger: Mapping[str, Any]) -> Iterator[str]:
    old, new = ([output["name"] for output in each["outputs"]] for each in (champion, challenger))
    if old != new:
        yield f"the outputs were {old} and are {new}"
