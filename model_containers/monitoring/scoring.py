"""Predictions beside what is known of them, many rows at a time: the careful path's `scores`."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lambdas.monitoring.capture.reading import Reading
from lambdas.monitoring.capture.slicing import Slicer, quarter_edges
from lambdas.monitoring.profile.calibration import Calibration
from lambdas.monitoring.profile.classes import is_positive
from lambdas.monitoring.profile.performance import PerformanceSums
from lambdas.monitoring.profile.references import NumberReference
from lambdas.monitoring.profile.window import WindowCounts

from .grid import Numbers
from .tallying import Tallier
from .text import Flags

UNKNOWN, FALSE, TRUE = -1, 0, 1
Trits = NDArray[np.int8]
"""True, false, or nobody knows."""


class Scorer:
    """Adds rows to a window's confidences, performance and slices.

    Parameters
    ----------
    into
        Is added to.
    reading
        Says which output is what.
    """

    def __init__(self, into: WindowCounts, reading: Reading) -> None:
        roles, outputs = reading.output_roles, reading.outputs
        self._into, self._reading = into, reading
        self._probability = _place(outputs.places, roles.probability)
        self._prediction = _place(outputs.places, roles.prediction)
        self._threshold = roles.threshold
        self._calibration = reading.baseline.calibration
        self._confidence = None if into.confidence is None else Tallier(into.confidence)

    def add(self, inputs: pl.DataFrame, outputs: pl.DataFrame, labels: Trits) -> None:
        """Count rows, with their answers and labels."""
        if self._probability is None and self._prediction is None:
            return
        probability = self._probabilities(outputs)
        if self._confidence is not None and self._probability is not None:
            confidence = pl.Series(np.maximum(probability, 1.0 - probability), nan_to_null=True)
            self._confidence.add(confidence)
        predicted = self._predictions(outputs, probability)
        known = predicted != UNKNOWN
        rows = _Rows(predicted[known] == TRUE, probability[known], self._calibrated(probability[known]), labels[known])
        self._into.performance.merge(rows.sums())
        for slicer in self._reading.slicers:
            self._slice(slicer, inputs.to_series(slicer.place).filter(pl.Series(known)), rows)

    def _slice(self, slicer: Slicer, column: pl.Series, rows: "_Rows") -> None:
        for name, members in self._members(slicer, column):
            part = self._into.slice(name)
            part.rows += int(np.count_nonzero(members))
            part.performance.merge(rows.only(members).sums())

    def _members(self, slicer: Slicer, column: pl.Series) -> Iterator[tuple[str, Flags]]:
        """Yield each slice's name and which rows are in it: rows of one code have the name of the first of them."""
        codes = self._codes(slicer, column)
        names: dict[str, Flags] = {}
        values, firsts = np.unique(codes, return_index=True)
        for code, first in zip(values.tolist(), firsts.tolist(), strict=True):
            name = slicer.name_of(column[first])
            members: Flags = codes == code
            names[name] = names[name] | members if name in names else members
        yield from names.items()

    def _codes(self, slicer: Slicer, column: pl.Series) -> NDArray[np.int64]:
        reference = list(self._reading.baseline.columns.values())[slicer.place]
        if not isinstance(reference, NumberReference):
            return column.rank("dense").fill_null(0).to_numpy().astype(np.int64)
        values = column.fill_null(np.nan).to_numpy()
        edges = np.asarray(quarter_edges(reference), dtype=np.float64)
        return np.where(np.isnan(values), -1, np.searchsorted(edges, values, side="right"))

    def _probabilities(self, outputs: pl.DataFrame) -> Numbers:
        """Return the probability of the positive class; NaN where there is none."""
        if self._probability is None:
            return np.full(outputs.height, np.nan)
        column = outputs.to_series(self._probability)
        if column.dtype != pl.Float64:
            return np.full(outputs.height, np.nan)
        values = column.fill_null(np.nan).to_numpy()
        with np.errstate(invalid="ignore"):
            return np.where((values >= 0.0) & (values <= 1.0), values, np.nan)

    def _predictions(self, outputs: pl.DataFrame, probability: Numbers) -> Trits:
        with np.errstate(invalid="ignore"):
            judged = np.where(np.isnan(probability), UNKNOWN, probability >= self._threshold).astype(np.int8)
        if self._prediction is None:
            return judged
        column = outputs.to_series(self._prediction)
        if column.dtype == pl.Float64:
            values = column.fill_null(0.0).to_numpy()
            told = np.where(np.isnan(values), UNKNOWN, values == 1.0).astype(np.int8)
        else:
            classes = {value: is_positive(value) for value in column.unique().drop_nulls().to_list()}
            told = column.replace_strict(classes, default=None, return_dtype=pl.Int8).fill_null(UNKNOWN).to_numpy()
        missing = column.is_null().to_numpy()
        return np.where(missing, judged, told).astype(np.int8)

    def _calibrated(self, probability: Numbers) -> Numbers:
        if self._calibration is None:
            return np.full(len(probability), np.nan)
        return calibrated(self._calibration, probability)


def calibrated(calibration: Calibration, probability: Numbers) -> Numbers:
    """Return the calibration of many probabilities, NaN for NaN, by the same arithmetic as for one."""
    xs, ys = np.asarray(calibration.xs), np.asarray(calibration.ys)
    after = np.searchsorted(xs, probability, side="right")
    high = np.clip(after, 1, max(len(xs) - 1, 1))
    low = high - 1
    high = np.minimum(high, len(xs) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = ys[low] + (ys[high] - ys[low]) * ((probability - xs[low]) / (xs[high] - xs[low]))
    inner = np.where(after == 0, ys[0], np.where(after == len(xs), ys[-1], between))
    return np.where(np.isnan(probability), np.nan, inner)


class _Rows:
    """Rows with a prediction."""

    def __init__(self, predicted: Flags, probability: Numbers, calibrated_: Numbers, labels: Trits) -> None:
        self._predicted, self._probability, self._calibrated, self._labels = predicted, probability, calibrated_, labels

    def only(self, members: Flags) -> "_Rows":
        return _Rows(
            self._predicted[members], self._probability[members], self._calibrated[members], self._labels[members]
        )

    def sums(self) -> PerformanceSums:
        """Return the sums over the rows."""
        positive, calibrated_ = self._predicted, self._calibrated
        has, labelled = ~np.isnan(calibrated_), self._labels != UNKNOWN
        label = self._labels == TRUE
        scored = labelled & ~np.isnan(self._probability)
        return PerformanceSums(
            n=len(positive),
            predicted_positive=_count(positive),
            calibrated_rows=_count(has),
            calibrated_positive=_count(has & positive),
            calibrated_over_positive=float(calibrated_[has & positive].sum()),
            calibrated_over_negative=float(calibrated_[has & ~positive].sum()),
            calibrated_variance=float((calibrated_[has] * (1 - calibrated_[has])).sum()),
            labelled=_count(labelled),
            tp=_count(labelled & positive & label),
            fp=_count(labelled & positive & ~label),
            tn=_count(labelled & ~positive & ~label),
            fn=_count(labelled & ~positive & label),
            scored=_count(scored),
            brier_sum=float(((self._probability[scored] - label[scored]) ** 2).sum()),
        )


def _count(flags: Flags) -> int:
    return int(np.count_nonzero(flags))


def _place(places: dict[str, int], name: str | None) -> int | None:
    return places.get(name) if name else None
