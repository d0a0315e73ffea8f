"""Looks at an endpoint's windows of traffic, one after another, and again when their labels have come.

Everything is written under a name of the window, and the cursor is moved last: whatever a run leaves half done, the
next one does again, with the same result.
"""

from dataclasses import replace

from lambdas.monitoring.assessment import Assessment, Finding, Kind, Policy, Severity, Summary, assess
from lambdas.monitoring.errors import ConflictError
from lambdas.monitoring.looks import Looks, Outcome
from lambdas.monitoring.ports import Cursor, Datum, Ports
from lambdas.monitoring.profile.window import WindowCounts
from lambdas.monitoring.publishing import ASSESSED, FAILED, FIRST, GIVEN_UP, LABELS, Judged, Page, Publisher
from lambdas.monitoring.settings import Settings
from lambdas.monitoring.times import stamp
from lambdas.monitoring.windows import Backlog, Window, backlog, containing

MOST_A_RUN = 12
"""Windows that one run looks at, and again that it looks at for their labels."""

LEAST_SECONDS = 75.0
"""A window is begun only with this much time left."""

_BROKEN_STEP = "Nothing is concluded about this window, and it counts neither for nor against retraining."


class Monitor:
    """Watches endpoints for drift.

    Parameters
    ----------
    ports
        The world.
    page
        Makes the report of a window.
    """

    def __init__(self, ports: Ports, page: Page) -> None:
        self._ports = ports
        self._page = page

    def run(self, endpoint: str) -> None:
        """Look at what is due, as far as time allows.

        Raises
        ------
        TidegateError
            When AWS refuses, or does not answer. What was done until then stands, and the next run goes on from there.
        """
        self._ports.log.bind(endpoint=endpoint)
        settings = self._ports.settings.load(endpoint)
        try:
            _Run(self._ports, settings, self._page).work()
        except ConflictError as error:
            self._ports.log.info(f"another run is at work: {error}")


class _Run:
    """One run for one endpoint."""

    def __init__(self, ports: Ports, settings: Settings, page: Page) -> None:
        self._ports = ports
        self._settings = settings
        self._endpoint = settings.endpoint
        self._looks = Looks(ports, settings)
        self._publisher = Publisher(ports, settings, page)
        self._policy = Policy.of(settings.floors, settings.baseline_max_age_days, settings.redacted)
        self._cursor = self._first_cursor()

    def work(self) -> None:
        """Look at windows that have ended, then at those whose labels have come."""
        waiting = self._backlog()
        if waiting.given_up is not None:
            self._give_up(waiting.given_up)
        self._look_first(waiting)
        self._look_again()
        data = [Datum("WindowsBehind", self._backlog().behind, "Count")]
        self._ports.metrics.put(self._endpoint, self._ports.clock.now(), data)

    def _first_cursor(self) -> Cursor:
        """Return where to begin: at first with the present window, for nobody asked to have older ones looked at."""
        known = self._ports.records.cursor(self._endpoint)
        if known is not None:
            return known
        present = containing(self._ports.clock.now(), self._settings.window_seconds)
        return self._ports.records.move(self._endpoint, Cursor(present.start, present.start))

    def _backlog(self) -> Backlog:
        settings = self._settings
        return backlog(self._cursor.next, settings.window_seconds, settings.delay_seconds, self._ports.clock.now())

    def _look_first(self, waiting: Backlog) -> None:
        for number, window in enumerate(waiting.due[:MOST_A_RUN]):
            if not self._has_time():
                return
            self._ports.log.bind(window=window.id)
            outcome = self._looks.first(window, alone=number == 0)
            if outcome is None:
                return
            self._publish(window, FIRST, outcome)
            self._move(replace(self._cursor, next=window.end))

    def _look_again(self) -> None:
        """Look at windows again, each when as many later ones have been looked at as labels may take."""
        for number in range(MOST_A_RUN):
            window = Window(self._cursor.next_labels, self._cursor.next_labels + self._settings.window_seconds)
            if window.later(self._settings.label_delay_windows).end > self._cursor.next or not self._has_time():
                return
            self._ports.log.bind(window=window.id)
            pending, outcome = self._looks.again(window, alone=number == 0)
            if pending:
                return
            if outcome is not None:
                self._publish(window, LABELS, outcome)
            self._move(replace(self._cursor, next_labels=window.end))

    def _publish(self, window: Window, look: str, outcome: Outcome) -> None:
        history = self._history(window)
        counts = outcome.counts or self._nothing(window)
        if outcome.failure:
            assessment, status = _unjudged(counts, Kind.COUNTING_FAILED, outcome.failure), FAILED
        else:
            assessment, status = assess(outcome.subject.baseline, counts, self._policy, history), ASSESSED
        assessment = replace(assessment, model_version=outcome.subject.version)
        if outcome.subject.trouble:
            assessment = _explained(assessment, outcome.subject.trouble)
        judged = Judged(window, look, assessment, outcome.subject.baseline, outcome.counts, history, status)
        self._publisher.publish(judged)

    def _give_up(self, span: Window) -> None:
        """Record windows that lie too far back to be looked at as one item under the first one's name."""
        windows = span.seconds // self._settings.window_seconds
        text = (
            f"{windows} windows from {stamp(span.start)} until {stamp(span.end)} were not looked at in time, and are "
            "given up. The monitor's log says why it did not run; their captures are kept for as long as all are."
        )
        self._ports.log.warning(text)
        assessment = _unjudged(self._nothing(span), Kind.WINDOW_GIVEN_UP, text)
        self._publisher.publish(Judged(span, FIRST, assessment, None, None, (), GIVEN_UP))
        self._move(replace(self._cursor, next=span.end))

    def _history(self, window: Window) -> list[Summary]:
        """Return what earlier windows came to; those that were not counted say nothing of what is usual."""
        items = self._ports.records.before(self._endpoint, window.key, self._policy.usual_windows)
        return [Summary.from_json(item["summary"]) for item in items if item.get("status") == ASSESSED]

    def _nothing(self, window: Window) -> WindowCounts:
        return WindowCounts(self._endpoint, stamp(window.start), stamp(window.end), "")

    def _move(self, cursor: Cursor) -> None:
        self._cursor = self._ports.records.move(self._endpoint, cursor)

    def _has_time(self) -> bool:
        return self._ports.clock.left() >= LEAST_SECONDS


def _unjudged(counts: WindowCounts, kind: Kind, why: str) -> Assessment:
    """Return the assessment of a window that could not be counted: suspect, so that people are told and no more."""
    finding = Finding(kind, Severity.SEVERE, "window", why, _BROKEN_STEP, {}, Severity.SUSPECT)
    return Assessment(
        endpoint=counts.endpoint,
        window=f"{counts.start[:16]}Z",
        start=counts.start,
        end=counts.end,
        model_version="",
        baseline_id="",
        severity=Severity.SUSPECT,
        drifted=(),
        severe=(),
        findings=(finding,),
        features={},
        outputs={},
        performance={},
        rows=0,
    )


def _explained(assessment: Assessment, trouble: str) -> Assessment:
    """Return an assessment in which the finding that there is no baseline says what is wrong with the one there is."""
    findings = tuple(
        replace(each, text=f"{trouble}. {each.text}") if each.kind is Kind.NO_BASELINE else each
        for each in assessment.findings
    )
    return replace(assessment, findings=findings)
