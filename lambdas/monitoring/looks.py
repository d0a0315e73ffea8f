"""A look at a window: its files are counted here, or by one or several jobs where they are large."""

from dataclasses import dataclass

from lambdas.contract import LABELS_PREFIX
from lambdas.monitoring import gathering, ids
from lambdas.monitoring.capture.labels import Labels
from lambdas.monitoring.capture.reading import Reading
from lambdas.monitoring.counting import Counter
from lambdas.monitoring.errors import OutOfTimeError
from lambdas.monitoring.gathering import Found
from lambdas.monitoring.look_folder import Failed
from lambdas.monitoring.ports import Ports
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.publishing import ASSESSED, FIRST, LABELS
from lambdas.monitoring.remote import RemoteCounting
from lambdas.monitoring.settings import Settings
from lambdas.monitoring.subjects import Subject, Subjects
from lambdas.monitoring.times import stamp
from lambdas.monitoring.windows import Window, capture_horizon, capture_hours, label_horizon, label_hours


@dataclass(frozen=True)
class Outcome:
    """What a look came to: counts, or why there are none."""

    subject: Subject
    counts: WindowCounts | None
    failure: str = ""


class Looks:
    """Looks at an endpoint's windows.

    Parameters
    ----------
    ports
        The world.
    settings
        Of the endpoint.
    """

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._ports = ports
        self._settings = settings
        self._subjects = Subjects(ports.versions, ports.files, settings)
        self._counter = Counter(ports.files, ports.clock, settings.bucket)
        self._remote = RemoteCounting(ports, settings)

    def first(self, window: Window, *, alone: bool) -> Outcome | None:
        """Look at a window that has ended; None while its result is not there yet.

        Parameters
        ----------
        window
            Which.
        alone
            Whether it has the whole of this invocation's time, so that the next one would not come further either.
        """
        subject = self._subjects.of(window)
        captures = self._captures(window)
        counts = self._empty(window, subject.baseline)
        if subject.baseline is None:
            self._counter.count_requests(captures, counts, window.start, window.end)
            return Outcome(subject, counts)
        if self._is_for_job(window, FIRST, captures.size):
            return self._by_job(window, FIRST, subject, captures, None)
        seen: list[str] = []
        reading = self._reading(window, subject.baseline, seen if self._labels_are_put() else None, None)
        try:
            self._counter.count(captures, counts, reading)
        except OutOfTimeError as error:
            return self._out_of_time(window, FIRST, subject, captures, None, str(error)) if alone else None
        if reading.see is not None:
            ids.keep(self._ports.files, self._settings.bucket, self._settings.endpoint, window, seen)
        return Outcome(subject, counts)

    def again(self, window: Window, *, alone: bool) -> tuple[bool, Outcome | None]:
        """Look at a window again, with its labels.

        Returns whether the result is yet to come; and the result, None when there is nothing to say.
        """
        item = self._ports.records.window(self._settings.endpoint, window.key)
        if item is None or item.get("status") != ASSESSED or not item["summary"]["rows"] or not self._labels_are_put():
            return False, None
        subject = self._subjects.of(window)
        labels = self._labels(window)
        if subject.baseline is None or not labels.files:
            return False, None
        captures = self._captures(window)
        if self._is_for_job(window, LABELS, captures.size + labels.size):
            outcome = self._by_job(window, LABELS, subject, captures, labels)
            return outcome is None, outcome
        try:
            outcome = self._labelled(window, subject, subject.baseline, captures, labels)
        except OutOfTimeError as error:
            outcome = self._out_of_time(window, LABELS, subject, captures, labels, str(error)) if alone else None
            return outcome is None, outcome
        if outcome is not None and outcome.counts is not None and outcome.counts.rows < item["summary"]["rows"]:
            self._ports.log.warning("captures of this window have been deleted, so that its labels cannot be joined")
            return False, None
        return False, outcome

    def _labelled(
        self, window: Window, subject: Subject, baseline: Baseline, captures: Found, found: Found
    ) -> Outcome | None:
        labels = self._counter.read_labels(found)
        counts = self._empty(window, baseline)
        self._counter.count(captures, counts, self._reading(window, baseline, None, labels))
        counts.malformed.merge(labels.refused)
        counts.performance.unknown_ids = self._unknown(window, labels)
        told = counts.performance.labelled or counts.performance.unknown_ids or len(labels.refused)
        return Outcome(subject, counts) if told else None

    def _unknown(self, window: Window, labels: Labels) -> int:
        span = self._settings.label_delay_windows
        windows = [window.later(number) for number in range(span, -1, -1)]
        return ids.unknown(self._ports.files, self._settings.bucket, self._settings.endpoint, windows, labels.fresh)

    def _reading(self, window: Window, baseline: Baseline, seen: list[str] | None, labels: Labels | None) -> Reading:
        return Reading(
            baseline=baseline,
            start=window.start,
            end=window.end,
            labels=None if labels is None else labels.values,
            slices=self._settings.slices,
            versions=self._subjects.slots(window),
            roles=self._subjects.roles,
            see=None if seen is None else seen.append,
        )

    def _empty(self, window: Window, baseline: Baseline | None) -> WindowCounts:
        told = (self._settings.endpoint, stamp(window.start), stamp(window.end))
        return WindowCounts(*told, "") if baseline is None else WindowCounts.of(baseline, *told)

    def _captures(self, window: Window) -> Found:
        delay = self._settings.delay_seconds
        return gathering.captures(
            self._ports.files,
            self._settings.bucket,
            self._settings.endpoint,
            capture_hours(window, delay),
            capture_horizon(window, delay),
            self._subjects.timeline.mirrors,
        )

    def _labels(self, window: Window) -> Found:
        delay, later = self._settings.delay_seconds, self._settings.label_delay_windows
        hours, horizon = label_hours(window, delay, later), label_horizon(window, delay, later)
        return gathering.labels(self._ports.files, self._settings.bucket, self._settings.endpoint, hours, horizon)

    def _labels_are_put(self) -> bool:
        """Return whether anybody puts labels for this endpoint."""
        prefix = f"{LABELS_PREFIX}/{self._settings.endpoint}/"
        return bool(self._ports.files.folders(self._settings.bucket, prefix))

    def _is_for_job(self, window: Window, look: str, size: int) -> bool:
        if self._settings.job is None:
            return False
        return size > self._settings.small_window_bytes or self._remote.started(window, look) is not None

    def _by_job(
        self, window: Window, look: str, subject: Subject, captures: Found, labels: Found | None
    ) -> Outcome | None:
        """Return what one or several jobs have counted; None while there is nothing, after they have been started."""
        assert subject.baseline is not None
        started = self._remote.started(window, look)
        if started is None:
            slots = self._subjects.slots(window)
            by = self._remote.start(window, look, subject.baseline, captures, labels, slots)
            if isinstance(by, Failed):
                return Outcome(subject, None, by.reason)
            self._ports.log.info(f"window {window.id} has {captures.size} bytes of captures; {by} counts it")
            return None
        result = started.result(window, look)
        if result is None or isinstance(result, Failed):
            return None if result is None else Outcome(subject, None, result.reason)
        if result.baseline_id != subject.baseline.id:
            expected = subject.baseline.id
            why = f"its job counted with baseline {result.baseline_id}; that of {subject.version} is {expected}"
            return Outcome(subject, None, why)
        return Outcome(subject, result)

    def _out_of_time(
        self, window: Window, look: str, subject: Subject, captures: Found, labels: Found | None, why: str
    ) -> Outcome | None:
        """Hand a window to a job, or say that nobody counts it."""
        if self._settings.job is not None:
            return self._by_job(window, look, subject, captures, labels)
        way_out = "configure a job for large windows, or make windows shorter (`window_minutes`)"
        return Outcome(
            subject, None, f"{why} ({captures.size} bytes of captures), and there is no job that would: {way_out}"
        )
