"""Whatever a file holds, reading it gives a value or a `ProfileError`, and a value that was read can be written."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.model_monitor import constraints_json, imported, statistics_json
from lambdas.monitoring.profile.window import WindowCounts

odd: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 0, 1, 2**63, 10**400, 1e308, -0.5, "", "x", "\ud800", [], {}, [[]], [None], {"": None}]
)
scalars = odd | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
Path = tuple[str | int, ...]


def paths(document: Any, at: Path = ()) -> Iterator[Path]:
    """Yield where something stands in a document; of long lists, only the first items."""
    yield at
    if isinstance(document, dict):
        for key, value in document.items():
            yield from paths(value, (*at, key))
    if isinstance(document, list):
        for index, value in enumerate(document[:3]):
            yield from paths(value, (*at, index))


def changed(document: Any, path: Path, value: Any, remove: bool) -> Any:
    if not path:
        return value
    copy = document.copy()
    if len(path) == 1 and remove:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(document[path[0]], path[1:], value, remove)
    return copy


def survives(read: Callable[[Any], Any], document: Any) -> Any:
    try:
        return read(document)
    except ProfileError as error:
        if not 0 < len(str(error)) < 2000:
            raise AssertionError("a message must be there, and short") from error
    return None


@pytest.fixture(scope="module")
def documents(make_baseline: Callable[..., Baseline]) -> dict[str, Any]:
    baseline = make_baseline(60)
    counts = WindowCounts.of(baseline, "rain", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")
    counts.columns["wind"].add("unseen")  # type: ignore[arg-type]
    counts.malformed.add("not_json", "file", 1, "why")
    counts.slice("wind=north").performance.add(True, 0.9, 0.8, True)
    counts.sample.offer(1, (1.0, "north", None))
    made = {
        "baseline": baseline.to_json(),
        "counts": counts.to_json(),
        "statistics": statistics_json(baseline),
        "constraints": constraints_json(baseline),
    }
    return {name: json.loads(json.dumps(document)) for name, document in made.items()}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.parametrize("name", ["baseline", "counts", "statistics", "constraints"])
def test_a_file_with_one_thing_changed(documents: dict[str, Any], name: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(paths(documents[name]))))
    document = changed(documents[name], path, data.draw(anything), data.draw(st.booleans()))
    if name == "baseline":
        written_again(Baseline, document)
    elif name == "counts":
        written_again(WindowCounts, document)
    else:
        files = documents | {name: document}
        imported_again(files["statistics"], files["constraints"])


@settings(max_examples=200, deadline=None)
@given(anything)
def test_a_file_of_anything(document: Any) -> None:
    survives(Baseline.from_json, document)
    survives(WindowCounts.from_json, document)
    survives(lambda d: imported(d, None, model_version="1", created_at=""), document)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_bytes_of_anything(text: bytes | str) -> None:
    survives(Baseline.of_text, text)
    survives(WindowCounts.of_text, text)


def written_again(kind: type[Baseline] | type[WindowCounts], document: Any) -> None:
    read = survives(kind.from_json, document)
    if read is not None:
        assert kind.of_text(read.text()) == read


def imported_again(statistics: Any, constraints: Any) -> None:
    read = survives(lambda s: imported(s, constraints, model_version="1", created_at=""), statistics)
    if read is not None:
        assert Baseline.of_text(read.text()) == read
        json.dumps([statistics_json(read), constraints_json(read)], allow_nan=False)
